import Foundation
import JSON
import TestSupport

/// Clients whose answers have to fit grammars while processes die: schemas, expressions, and calls of tools that must come. Each answer
/// is compared with an undisturbed one, and what has ended is held against its grammar.
struct BoundStorm: Sendable {
    /// Clients of a long storm.
    static let clients = 200

    let server: Server
    let kinds = 40

    /// What an answer has to fit.
    private enum Bound {
        case schema(JSONValue)
        case expression
        case calls
    }

    private static let schemas: [JSONValue] = [
        [
            "type": "object", "required": ["name", "count", "ok", "tags"], "additionalProperties": false,
            "properties": [
                "name": ["type": "string", "maxLength": 12], "count": ["type": "integer", "minimum": 0, "maximum": 99],
                "ok": ["type": "boolean"],
                "tags": ["type": "array", "items": ["enum": ["red", "blue"]], "maxItems": 3],
            ],
        ],
        [
            "type": "array", "minItems": 6, "maxItems": 9,
            "items": ["type": "string", "minLength": 2, "maxLength": 8],
        ],
        [
            "$ref": "#/$defs/tree",
            "$defs": [
                "tree": [
                    "type": "object", "required": ["leaf"], "additionalProperties": false,
                    "properties": [
                        "leaf": ["type": "integer", "minimum": 1, "maximum": 7], "tree": ["$ref": "#/$defs/tree"],
                    ],
                ]
            ],
        ],
        [
            "type": "object", "additionalProperties": false,
            "required": ["height_of_the_water_in_centimetres", "remarks_of_the_keeper_about_the_weather"],
            "properties": [
                "height_of_the_water_in_centimetres": ["type": "integer", "minimum": -50, "maximum": 950],
                "remarks_of_the_keeper_about_the_weather": ["enum": ["storm", "rain", "fog", "sun"]],
                "steps": ["oneOf": [["const": 94], ["type": "string", "pattern": "^[a-f]{2,5}$"]]],
            ],
        ],
    ]
    private static let expression = "(keeper|lamp)( [0-9]{2,4}){1,5}( é)?\\."
    private static let names = ["note", "climb"]

    private static func bound(_ kind: Int) -> Bound {
        switch kind % 5 {
        case 1: .calls
        case 2: .expression
        default: .schema(schemas[kind % schemas.count])
        }
    }

    /// What all requests share: many begin alike, so that the prefix cache has its part.
    private static func beginning(_ kind: Int) -> String {
        "The keeper climbed 94 steps, 水位は上がった, and looked at lamp \(kind % 4) of day \(kind): "
    }

    private static func text(_ kind: Int) -> JSONObject {
        var sampling: JSONObject = [
            "max_new_tokens": .int(kind % 9 == 7 ? 24 : 220), "temperature": kind % 2 == 0 ? 0 : 1,
            "sampling_seed": .int(Int64(500 + kind)),
        ]
        if case .schema(let schema) = bound(kind) {
            sampling["json_schema"] = .string(JSON.encodeToString(schema))
        } else {
            sampling["regex"] = .string(expression)
        }
        if kind % 8 == 3 { sampling["n"] = 4 }
        if kind % 10 == 4 { sampling["stop"] = ["\"ok\"", "99"] }
        if kind % 7 == 2 { sampling["presence_penalty"] = 0.5 }
        return [
            "text": .string(beginning(kind)), "sampling_params": .object(sampling),
            "return_logprob": .bool(kind % 3 == 0),
        ]
    }

    private static func chat(_ kind: Int) -> JSONObject {
        var body: JSONObject = [
            "messages": [["role": "user", "content": .string(beginning(kind))]], "max_tokens": 300,
            "seed": .int(Int64(500 + kind)), "temperature": kind % 2 == 0 ? 0 : 1, "n": kind % 4 == 0 ? 4 : 1,
            "logprobs": .bool(kind % 3 == 0), "stream": .bool(kind % 8 != 0),
            "stream_options": ["include_usage": true], "chat_template_kwargs": ["enable_thinking": false],
        ]
        if case .schema(let schema) = bound(kind) {
            body["response_format"] = ["type": "json_schema", "json_schema": ["name": "page", "schema": schema]]
        } else {
            body["tools"] = .array(
                names.enumerated().map { place, name in
                    ["type": "function", "function": ["name": .string(name), "parameters": schemas[place * 3]]]
                })
            body["tool_choice"] =
                kind % 2 == 0 ? "required" : ["type": "function", "function": ["name": .string(names[1])]]
            body["parallel_tool_calls"] = .bool(kind % 10 == 6)
        }
        return body
    }

    private static func isChat(_ kind: Int) -> Bool { [1, 3].contains(kind % 5) }

    /// Sends a request of a kind; an outcome for each sample.
    func outcomes(of kind: Int, onGap: (Double) -> Void) throws -> [Outcome] {
        var last = Date()
        func came() {
            onGap(Date().timeIntervalSince(last))
            last = Date()
        }
        if Self.isChat(kind) {
            let answer = try server.chat(Self.chat(kind)) { _ in came() }
            return answer.choices.map { choice in
                let calls = JSONValue.array(choice.calls.map { .array($0.map { .string($0) }) })
                return Outcome(
                    text: choice.calls.isEmpty ? choice.content : JSON.encodeToString(calls), ids: [],
                    finish: ["type": choice.finish, "matched": choice.matched], promptTokens: 0,
                    completionTokens: answer.completionTokens, logprobs: ["chat": choice.logprobs])
            }
        }
        let body = Self.text(kind)
        if kind % 8 == 3 { return try server.batch(body).map(\.outcome) }
        return [try server.streamed(body, incremental: true) { _ in came() }.outcome]
    }

    /// What of the answers to a kind does not fit its grammar, of those that ended by themselves.
    func faults(of kind: Int, _ outcomes: [Outcome]) -> [String] {
        outcomes.filter { Self.hasEnded($0) && !Self.fits($0.text, Self.bound(kind)) }.map(\.text)
    }

    /// Whether an answer ended because its grammar, or the model, let it; a stop string ends a text anywhere.
    static func hasEnded(_ outcome: Outcome) -> Bool {
        outcome.finish["type"] != "length" && outcome.finish["matched"]?.stringValue == nil
    }

    private static func fits(_ text: String, _ bound: Bound) -> Bool {
        switch bound {
        case .expression: return text.wholeMatch(of: /(keeper|lamp)( [0-9]{2,4}){1,5}( é)?\./) != nil
        case .schema(let schema): return fits(text, schema)
        case .calls:
            guard let calls = (try? JSON.parse(text))?.arrayValue, !calls.isEmpty else { return false }
            return calls.allSatisfy { call in
                guard let name = call[0]?.stringValue, let place = names.firstIndex(of: name) else { return false }
                return fits(call[1]?.stringValue ?? "", schemas[place * 3])
            }
        }
    }

    private static func fits(_ text: String, _ schema: JSONValue) -> Bool {
        (try? JSON.parse(text)).map { PlainValidator(root: schema).allows($0) } ?? false
    }
}
