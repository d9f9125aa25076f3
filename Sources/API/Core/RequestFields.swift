package import JSON
package import Ledger

/// How request bodies are read: as leniently as the reference validator, for which `1`, `"1"` and `1.0` are the same integer.
///
/// Every mismatch is a schema failure that names the field.
package struct RequestReading: JSONReading {
    package init() {}

    package func failure(at path: String, _ complaint: JSONComplaint) -> RequestFailure {
        .malformed("body\(path.isEmpty ? "" : "." + path): \(Self.reason(complaint))")
    }

    package func integer(_ value: JSONValue) -> Int? {
        switch value {
        case .int(let number): Int(number)
        case .double(let number): Int(exactly: number)
        case .string(let text): Int(text)
        case .bool(let flag): flag ? 1 : 0
        default: nil
        }
    }

    package func number(_ value: JSONValue) -> Double? {
        if case .string(let text) = value, let number = Double(text), number.isFinite { return number }
        return value.doubleValue
    }

    package func boolean(_ value: JSONValue) -> Bool? {
        switch value {
        case .bool(let flag): return flag
        case .int(1): return true
        case .int(0): return false
        case .double(let number): return number == 1 ? true : number == 0 ? false : nil
        case .string(let text):
            switch text.lowercased() {
            case "1", "true", "t", "yes", "y", "on": return true
            case "0", "false", "f", "no", "n", "off": return false
            default: return nil
            }
        default: return nil
        }
    }

    private static func reason(_ complaint: JSONComplaint) -> String {
        switch complaint {
        case .missing: "Field required"
        case .wrongKind(let kind, let found): "Input should be \(words(kind)), got \(found.kindName)"
        case .outOfRange(let value, let least, let most): "Input should be from \(least) to \(most), got \(value)"
        case .other(let words): words
        }
    }

    private static func words(_ kind: JSONComplaint.Kind) -> String {
        switch kind {
        case .string: "a valid string"
        case .integer: "a valid integer"
        case .number: "a valid number"
        case .boolean: "a valid boolean"
        case .array: "a valid list"
        case .object: "a valid dictionary"
        case .other(let words): words
        }
    }
}

/// A value in a request body.
package typealias RequestCursor = JSONCursor<RequestReading>

/// Typed reading of the members of a request body, or of an object inside one. A member that is null counts as absent.
package struct RequestFields: Sendable {
    package let object: JSONObject
    private let cursor: RequestCursor

    /// Reads a body that must be one JSON object.
    package init(body: some Collection<UInt8>) throws(RequestFailure) {
        guard !body.isEmpty else { throw RequestReading().failure(at: "", .missing) }
        let value: JSONValue
        do { value = try JSON.parse(Array(body)) } catch {
            throw .malformed("body, byte \(error.offset): JSON decode error: \(error.reason)")
        }
        guard case .object(let object) = value else {
            throw RequestCursor(value, RequestReading()).wrongKind(.other("a valid dictionary or object"))
        }
        self.init(object)
    }

    /// The same for routes whose body may be absent.
    package init(optionalBody body: some Collection<UInt8>) throws(RequestFailure) {
        if body.isEmpty { self.init(JSONObject()) } else { try self.init(body: body) }
    }

    /// Reads an object as if it were the body.
    package init(_ object: JSONObject) {
        self.object = object
        cursor = RequestCursor(.object(object), RequestReading())
    }

    private init(_ cursor: RequestCursor) throws(RequestFailure) {
        object = try cursor.object()
        self.cursor = cursor
    }

    /// The member, unless it is absent or null.
    package subscript(name: String) -> JSONValue? { self[at: name]?.value }

    private subscript(at name: String) -> RequestCursor? {
        guard let value = object[name], !value.isNull else { return nil }
        return cursor.child(name, value)
    }

    /// A string, or nil when absent or null.
    package func string(_ name: String) throws(RequestFailure) -> String? { try self[at: name]?.string() }

    /// An integer, or nil when absent or null.
    package func int(_ name: String) throws(RequestFailure) -> Int? { try self[at: name]?.integer() }

    /// A number, or nil when absent or null.
    package func double(_ name: String) throws(RequestFailure) -> Double? { try self[at: name]?.number() }

    /// A boolean; `fallback` when absent or null.
    package func bool(_ name: String, or fallback: Bool = false) throws(RequestFailure) -> Bool {
        try self[at: name]?.boolean() ?? fallback
    }

    /// A member that is required.
    package func required<Value>(
        _ name: String, _ read: (String) throws(RequestFailure) -> Value?
    ) throws(RequestFailure) -> Value {
        guard let value = try read(name) else { throw cursor.child(name, .null).failure(.missing) }
        return value
    }

    /// An object, or nil when absent or null.
    package func fields(_ name: String) throws(RequestFailure) -> RequestFields? {
        guard let member = self[at: name] else { return nil }
        return try RequestFields(member)
    }

    /// What a member that may be one value or a list of them holds.
    package func oneOrMany<Value>(
        _ name: String, _ expected: String, _ read: (JSONValue) -> Value?
    ) throws(RequestFailure) -> OneOrMany<Value>? {
        guard let member = self[at: name] else { return nil }
        guard case .array = member.value else {
            guard let one = read(member.value) else { throw member.wrongKind(.other("\(expected) or a valid list")) }
            return .one(one)
        }
        return .many(
            try member.list { element throws(RequestFailure) in
                guard let value = read(element.value) else { throw element.wrongKind(.other(expected)) }
                return value
            })
    }

    /// A list of ids or a list of such lists; an empty list is one empty list of ids.
    package func idLists(_ name: String) throws(RequestFailure) -> OneOrMany<[Int]>? {
        guard let member = self[at: name] else { return nil }
        let ids = { (list: RequestCursor) throws(RequestFailure) -> [Int] in
            try list.list { id throws(RequestFailure) in try id.integer() }
        }
        guard case .array(let elements) = member.value, case .array? = elements.first else {
            return .one(try ids(member))
        }
        return .many(try member.list(ids))
    }

    /// An integer as the lenient validator reads it.
    package static func laxInt(_ value: JSONValue) -> Int? { RequestReading().integer(value) }

    /// A boolean as the lenient validator reads it.
    package static func laxBool(_ value: JSONValue) -> Bool? { RequestReading().boolean(value) }
}

/// A value for the whole request, or one for each item of its batch.
package enum OneOrMany<Value: Sendable>: Sendable {
    case one(Value)
    case many([Value])

    /// The value of one item.
    package subscript(index: Int) -> Value {
        switch self {
        case .one(let value): value
        case .many(let values): values[index]
        }
    }

    /// The number of values, if it is a list.
    package var count: Int? {
        if case .many(let values) = self { values.count } else { nil }
    }
}

extension OneOrMany {
    /// All values.
    package var all: [Value] {
        switch self {
        case .one(let value): [value]
        case .many(let values): values
        }
    }

    /// The same with each value changed.
    package func map<Other>(_ change: (Value) -> Other) -> OneOrMany<Other> {
        switch self {
        case .one(let value): .one(change(value))
        case .many(let values): .many(values.map(change))
        }
    }
}
