internal import Foundation
package import JSON
internal import Values

/// Requests made from a server's own description: such as it promises to take, such as it must refuse, and nonsense. A seed
/// always gives the same requests.
package struct RequestGenerator {
    /// One request.
    package struct Request: Sendable {
        package let method: String
        package let path: String
        /// As the description writes the path.
        package let template: String
        package let body: [UInt8]?
        /// Statuses that the description names.
        package let statuses: Set<Int>
    }

    private struct Operation {
        let method: String
        let template: String
        let json: JSONValue
    }

    private let document: JSONValue
    private let operations: [Operation]
    private var random: SplitMix64

    /// - Parameters:
    ///   - document: the server's /openapi.json.
    ///   - excluded: paths that are not asked for.
    package init(_ document: JSONValue, seed: UInt64, excluding excluded: Set<String> = []) {
        self.document = document
        random = SplitMix64(seed: seed)
        operations = (document["paths"]?.objectValue ?? [:]).flatMap { path, item in
            (item.objectValue ?? [:]).map { Operation(method: $0.uppercased(), template: path, json: $1) }
        }.filter { !excluded.contains($0.template) }
    }

    /// The next request.
    package mutating func next() -> Request {
        let operation = operations.randomElement(using: &random)!
        let parameters = operation.json["parameters"]?.arrayValue ?? []
        var path = operation.template
        var query: [String] = []
        for parameter in parameters {
            let name = parameter["name"]?.stringValue ?? ""
            switch parameter["in"]?.stringValue {
            case "path":
                // Without a segment it would be another path.
                let segment = encoded(value(parameter["schema"], 0))
                path = path.replacingOccurrences(of: "{\(name)}", with: segment.isEmpty ? "-" : segment)
            case "query" where Bool.random(using: &random):
                query.append(name + "=" + encoded(value(parameter["schema"], 0)))
            default: break
            }
        }
        if !query.isEmpty { path += "?" + query.joined(separator: "&") }
        return Request(
            method: operation.method, path: path, template: operation.template, body: body(operation),
            statuses: Set((operation.json["responses"]?.objectValue?.keys ?? []).compactMap { Int($0) }))
    }

    private func encoded(_ value: JSONValue) -> String {
        let text = value.stringValue ?? JSON.encodeToString(value)
        return text.utf8.map { byte in
            let isPlain = (48...57).contains(byte) || (97...122).contains(byte | 0x20)
            let digits = String(byte, radix: 16, uppercase: true)
            return isPlain ? String(UnicodeScalar(byte)) : "%" + (digits.count < 2 ? "0" : "") + digits
        }.joined()
    }

    private mutating func body(_ operation: Operation) -> [UInt8]? {
        guard let content = operation.json["requestBody"]?["content"]?["application/json"] else { return nil }
        switch Int.random(in: 0..<10, using: &random) {
        case 0: return Array(["", "{", "[]", "null", "{\"a\":", "\u{0}", "5"].randomElement(using: &random)!.utf8)
        case 1: return JSON.encode(nonsense(0))
        default: return JSON.encode(value(content["schema"], 0))
        }
    }

    // MARK: Values

    /// A value that fits a schema, or now and then one that does not.
    private mutating func value(_ schema: JSONValue?, _ depth: Int) -> JSONValue {
        guard let schema, depth < 8 else { return .null }
        if Int.random(in: 0..<12, using: &random) == 0 { return nonsense(depth) }
        if let name = schema["$ref"]?.stringValue?.split(separator: "/").last {
            return value(document["components"]?["schemas"]?[String(name)], depth)
        }
        if let choices = schema["anyOf"]?.arrayValue { return value(choices.randomElement(using: &random), depth + 1) }
        if let words = schema["enum"]?.arrayValue { return words.randomElement(using: &random) ?? .null }
        switch schema["type"]?.stringValue {
        case "string": return .string(text())
        case "integer": return .int(integer(schema))
        case "number": return .double(Double(integer(schema)) + [0, 0.5, 1e-9].randomElement(using: &random)!)
        case "boolean": return .bool(.random(using: &random))
        case "array":
            let count = Int.random(in: 0..<4, using: &random)
            return .array((0..<count).map { _ in value(schema["items"], depth + 1) })
        case "object": return object(schema, depth)
        case "null": return .null
        default: return nonsense(depth)
        }
    }

    private mutating func object(_ schema: JSONValue, _ depth: Int) -> JSONValue {
        let required = Set((schema["required"]?.arrayValue ?? []).compactMap(\.stringValue))
        var object = JSONObject()
        for (name, member) in schema["properties"]?.objectValue ?? [:] {
            let chance = required.contains(name) ? 15 : 4
            guard Int.random(in: 0..<16, using: &random) < chance else { continue }
            object[name] = value(member, depth + 1)
        }
        return .object(object)
    }

    private mutating func integer(_ schema: JSONValue) -> Int64 {
        let least = schema["minimum"]?.doubleValue.map { Int64($0) } ?? -3
        switch Int.random(in: 0..<8, using: &random) {
        case 0: return least
        case 1: return [Int64.max, .min, 1 << 32, -(1 << 31)].randomElement(using: &random)!
        default: return Int64.random(in: least...(least + 40), using: &random)
        }
    }

    private mutating func text() -> String {
        let pieces = ["a", "Once upon a time", "é", "\u{1F600}", "\"", "\\", "\n", "\u{0}", "%", "/", "..", "m", " "]
        return (0..<Int.random(in: 0..<4, using: &random)).map { _ in pieces.randomElement(using: &random)! }.joined()
    }

    private mutating func nonsense(_ depth: Int) -> JSONValue {
        switch Int.random(in: 0..<(depth < 3 ? 8 : 6), using: &random) {
        case 0: .null
        case 1: .bool(true)
        case 2: .int(Int64.random(in: -5...5, using: &random))
        case 3: .double(1e300)
        case 4: .string(text())
        case 5: .array([])
        case 6: .array([nonsense(depth + 1), nonsense(depth + 1)])
        default: .object([text(): nonsense(depth + 1)])
        }
    }
}
