internal import APICore
internal import JSON
internal import Ledger

/// The strict second look at a /generate body: exact JSON types and no unknown sampling parameter, with the error texts
/// that the reference's schema library writes.
enum SamplingSchema {
    /// What a sampling parameter may be; null stands for the default everywhere.
    enum Kind: Sendable {
        case integer, unsigned, number, string, flag, strings, integers, map
    }

    /// Every known key in the order in which the error for unknown ones lists them.
    static let keys: [(name: String, kind: Kind)] = [
        ("max_new_tokens", .integer), ("stop", .strings), ("stop_token_ids", .integers), ("stop_regex", .strings),
        ("temperature", .number), ("top_p", .number), ("top_k", .integer), ("min_p", .number),
        ("frequency_penalty", .number), ("presence_penalty", .number), ("repetition_penalty", .number),
        ("min_new_tokens", .integer), ("n", .unsigned), ("json_schema", .string), ("regex", .string), ("ebnf", .string),
        ("structural_tag", .string), ("ignore_eos", .flag), ("skip_special_tokens", .flag),
        ("spaces_between_special_tokens", .flag), ("no_stop_trim", .flag), ("stream_interval", .integer),
        ("logit_bias", .map), ("sampling_seed", .integer), ("custom_params", .map), ("beam_width", .integer),
        ("watermark", .map),
    ]

    private static let kinds = Dictionary(uniqueKeysWithValues: keys.map { ($0.name, $0.kind) })
    /// `choice` is known to the reference's schema but fails later; it is treated as unknown.
    private static let listed = (keys.map(\.name) + ["choice"]).map { "`\($0)`" }.joined(separator: ", ")

    /// Checks one set of sampling parameters.
    static func check(_ params: JSONObject) throws(RequestFailure) {
        for (name, value) in params {
            guard let kind = kinds[name] else { throw .offSchema("unknown field `\(name)`, expected one of \(listed)") }
            if value.isNull { continue }
            try check(value, kind)
        }
    }

    /// Checks a boolean at the top level, where null is wrong too.
    static func checkFlag(_ name: String, in object: JSONObject) throws(RequestFailure) {
        guard let value = object[name], value.boolValue == nil else { return }
        throw wrong(value, "a boolean")
    }

    private static func check(_ value: JSONValue, _ kind: Kind) throws(RequestFailure) {
        switch (kind, value) {
        case (.integer, .int), (.number, .int), (.number, .unsigned), (.number, .double), (.unsigned, .unsigned): break
        case (.string, .string), (.flag, .bool), (.strings, .string): break
        case (.unsigned, .int(let number)):
            if number < 0 { throw .offSchema("invalid value: integer `\(number)`, expected u64") }
        case (.strings, .array(let elements)):
            for element in elements where element.stringValue == nil { throw wrong(element, "a string") }
        case (.integers, .array(let elements)):
            for element in elements {
                guard case .int = element else { throw wrong(element, "i64") }
            }
        case (.map, .object): break
        case (.integer, _): throw wrong(value, "i64")
        case (.unsigned, _): throw wrong(value, "u64")
        case (.number, _): throw wrong(value, "f64")
        case (.string, _): throw wrong(value, "a string")
        case (.flag, _): throw wrong(value, "a boolean")
        case (.strings, _): throw wrong(value, "a value or an array of values for String")
        case (.integers, _): throw wrong(value, "a sequence")
        case (.map, _): throw wrong(value, "a map")
        }
    }

    private static func wrong(_ value: JSONValue, _ expected: String) -> RequestFailure {
        .offSchema("invalid type: \(value.inSchemaWords), expected \(expected)")
    }
}
