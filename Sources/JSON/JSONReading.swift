/// How one kind of JSON text is read: what it forgives, and what its errors are. Everything else is the cursor's.
package protocol JSONReading: Sendable {
    /// What is thrown.
    associatedtype Failure: Error

    /// The error for a complaint about what stands at a path, written as `messages[0].content`; empty for the root.
    func failure(at path: String, _ complaint: JSONComplaint) -> Failure

    /// The value as an integer; nil where it is none.
    func integer(_ value: JSONValue) -> Int?
    /// The value as a number; nil where it is none.
    func number(_ value: JSONValue) -> Double?
    /// The value as true or false; nil where it is neither.
    func boolean(_ value: JSONValue) -> Bool?
    /// The value as a text; nil where it is none.
    func string(_ value: JSONValue) -> String?
}

/// Nothing is forgiven: `1.0` is no integer, "1" no number, 0 not false.
extension JSONReading {
    package func integer(_ value: JSONValue) -> Int? { value.intValue }
    package func number(_ value: JSONValue) -> Double? { value.doubleValue }
    package func boolean(_ value: JSONValue) -> Bool? { value.boolValue }
    package func string(_ value: JSONValue) -> String? { value.stringValue }
}

/// What is wrong with a value; the words are the reader's.
package enum JSONComplaint: Sendable, Equatable {
    /// The kinds of values that are asked for.
    package enum Kind: Sendable, Equatable {
        case string, integer, number, boolean, array, object
        /// A kind of the reader's own, in words.
        case other(String)
    }

    /// A member that must be there is not, or is null.
    case missing
    /// Another kind of value was asked for.
    case wrongKind(Kind, found: JSONValue)
    /// A number lies outside of its bounds; all three as they are to be shown.
    case outOfRange(String, least: String, most: String)
    /// Anything else, in words.
    case other(String)
}
