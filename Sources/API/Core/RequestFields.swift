package import JSON
package import Ledger

/// Typed reading of a request body's members, as lenient as the reference validator: `1`, `"1"` and `1.0` are the same integer.
///
/// Every mismatch is a schema failure that names the field.
package struct RequestFields: Sendable {
    package let object: JSONObject

    /// Reads a body that must be one JSON object.
    package init(body: some Collection<UInt8>) throws(RequestFailure) {
        guard !body.isEmpty else { throw .malformed("body: Field required") }
        let value: JSONValue
        do { value = try JSON.parse(Array(body)) } catch {
            switch error {
            case .syntax(let offset, let reason): throw .malformed("body, byte \(offset): JSON decode error: \(reason)")
            case .mismatch: throw .malformed("body: \(error)")
            }
        }
        guard case .object(let object) = value else {
            throw .malformed("body: Input should be a valid dictionary or object, got \(value.kindName)")
        }
        self.object = object
    }

    /// The same for routes whose body may be absent.
    package init(optionalBody body: some Collection<UInt8>) throws(RequestFailure) {
        if body.isEmpty { self.init(JSONObject()) } else { try self.init(body: body) }
    }

    package init(_ object: JSONObject) { self.object = object }

    /// The member, unless it is absent or null.
    package subscript(name: String) -> JSONValue? {
        guard let value = object[name], !value.isNull else { return nil }
        return value
    }

    /// A string, or nil when absent or null.
    package func string(_ name: String) throws(RequestFailure) -> String? {
        guard let value = self[name] else { return nil }
        guard case .string(let text) = value else { throw Self.wrong(name, "a valid string", value) }
        return text
    }

    /// An integer, or nil when absent or null.
    package func int(_ name: String) throws(RequestFailure) -> Int? {
        guard let value = self[name] else { return nil }
        guard let number = Self.laxInt(value) else { throw Self.wrong(name, "a valid integer", value) }
        return number
    }

    /// A number, or nil when absent or null.
    package func double(_ name: String) throws(RequestFailure) -> Double? {
        guard let value = self[name] else { return nil }
        if case .string(let text) = value, let number = Double(text), number.isFinite { return number }
        guard let number = value.doubleValue else { throw Self.wrong(name, "a valid number", value) }
        return number
    }

    /// A boolean; `fallback` when absent or null.
    package func bool(_ name: String, or fallback: Bool = false) throws(RequestFailure) -> Bool {
        guard let value = self[name] else { return fallback }
        guard let flag = Self.laxBool(value) else { throw Self.wrong(name, "a valid boolean", value) }
        return flag
    }

    /// A member that is required.
    package func required<Value>(_ name: String, _ read: (String) throws(RequestFailure) -> Value?)
        throws(RequestFailure)
        -> Value
    {
        guard let value = try read(name) else { throw .malformed("body.\(name): Field required") }
        return value
    }

    /// An object, or nil when absent or null.
    package func fields(_ name: String) throws(RequestFailure) -> RequestFields? {
        guard let value = self[name] else { return nil }
        guard case .object(let members) = value else { throw Self.wrong(name, "a valid dictionary", value) }
        return RequestFields(members)
    }

    /// What a member that may be one value or a list of them holds.
    package func oneOrMany<Value>(
        _ name: String, _ expected: String, _ read: (JSONValue) -> Value?
    ) throws(RequestFailure) -> OneOrMany<Value>? {
        guard let value = self[name] else { return nil }
        guard case .array(let elements) = value else {
            guard let one = read(value) else { throw Self.wrong(name, "\(expected) or a valid list", value) }
            return .one(one)
        }
        return .many(try Self.list(elements, name, expected, read))
    }

    /// A list of ids or a list of such lists; an empty list is one empty list of ids.
    package func idLists(_ name: String) throws(RequestFailure) -> OneOrMany<[Int]>? {
        guard let value = self[name] else { return nil }
        guard case .array(let elements) = value else { throw Self.wrong(name, "a valid list", value) }
        guard case .array? = elements.first else {
            return .one(try Self.list(elements, name, "a valid integer", Self.laxInt))
        }
        var lists: [[Int]] = []
        lists.reserveCapacity(elements.count)
        for (index, element) in elements.enumerated() {
            guard case .array(let inner) = element else {
                throw Self.wrong("\(name)[\(index)]", "a valid list", element)
            }
            lists.append(try Self.list(inner, "\(name)[\(index)]", "a valid integer", Self.laxInt))
        }
        return .many(lists)
    }

    /// Reads each element of a list.
    package static func list<Value>(
        _ elements: [JSONValue], _ name: String, _ expected: String, _ read: (JSONValue) -> Value?
    ) throws(RequestFailure) -> [Value] {
        var values: [Value] = []
        values.reserveCapacity(elements.count)
        for (index, element) in elements.enumerated() {
            guard let value = read(element) else { throw wrong("\(name)[\(index)]", expected, element) }
            values.append(value)
        }
        return values
    }

    /// The failure for a member of the wrong type.
    package static func wrong(_ name: String, _ expected: String, _ value: JSONValue) -> RequestFailure {
        .malformed("body.\(name): Input should be \(expected), got \(value.kindName)")
    }

    /// An integer as the lenient validator reads it.
    package static func laxInt(_ value: JSONValue) -> Int? {
        switch value {
        case .int(let number): Int(number)
        case .double(let number): Int(exactly: number)
        case .string(let text): Int(text)
        case .bool(let flag): flag ? 1 : 0
        default: nil
        }
    }

    /// A boolean as the lenient validator reads it.
    package static func laxBool(_ value: JSONValue) -> Bool? {
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
