/// A JSON value and where it stands, so that every complaint about it names its path.
///
/// Going down costs no text: a path is put together only where somebody asks for it.
package struct JSONCursor<Reading: JSONReading>: Sendable {
    /// How the text is read.
    package let reading: Reading
    /// What stands here.
    package let value: JSONValue
    private let base: String
    private let step: Step

    /// How one comes here from the value around.
    private enum Step: Sendable {
        case none
        case key(String)
        case index(Int)
        case place(String)
    }

    /// Begins at a value whose path is `path`.
    package init(_ value: JSONValue, _ reading: Reading, path: String = "") {
        self.init(value, reading, path, .none)
    }

    private init(_ value: JSONValue, _ reading: Reading, _ base: String, _ step: Step) {
        self.value = value
        self.reading = reading
        self.base = base
        self.step = step
    }

    /// Where this is: `messages[0].content`; empty for the root.
    package var path: String {
        switch step {
        case .none: base
        case .key(let key): base.isEmpty ? key : "\(base).\(key)"
        case .index(let index): "\(base)[\(index)]"
        case .place(let place): base + place
        }
    }

    /// The error for a complaint about this value.
    package func failure(_ complaint: JSONComplaint) -> Reading.Failure {
        reading.failure(at: path, complaint)
    }

    /// The error for a complaint in words.
    package func failure(_ reason: String) -> Reading.Failure { failure(.other(reason)) }

    /// The error for a value of another kind than the wanted one.
    package func wrongKind(_ kind: JSONComplaint.Kind) -> Reading.Failure { failure(.wrongKind(kind, found: value)) }

    // MARK: Down

    /// The members of an object.
    package func object() throws(Reading.Failure) -> JSONObject {
        guard case .object(let members) = value else { throw wrongKind(.object) }
        return members
    }

    /// The member with that key; nil where there is none or it is null.
    package func member(_ key: String) throws(Reading.Failure) -> JSONCursor? {
        guard let member = try object()[key], !member.isNull else { return nil }
        return child(key, member)
    }

    /// The member with that key, which must be there.
    package func required(_ key: String) throws(Reading.Failure) -> JSONCursor {
        guard let member = try member(key) else { throw child(key, .null).failure(.missing) }
        return member
    }

    /// A cursor at a member that the caller took out of the object, or wants to complain about.
    package func child(_ key: String, _ value: JSONValue) -> JSONCursor {
        JSONCursor(value, reading, path, .key(key))
    }

    /// The same at a place that is written otherwise, such as `["a b"]`.
    package func child(at place: String, _ value: JSONValue) -> JSONCursor {
        JSONCursor(value, reading, path, .place(place))
    }

    /// The elements of an array.
    package func elements() throws(Reading.Failure) -> [JSONCursor] {
        try list { element throws(Reading.Failure) in element }
    }

    /// What is read from each element of an array.
    package func list<Element>(
        _ read: (JSONCursor) throws(Reading.Failure) -> Element
    ) throws(Reading.Failure) -> [Element] {
        guard case .array(let values) = value else { throw wrongKind(.array) }
        let base = path
        var elements: [Element] = []
        elements.reserveCapacity(values.count)
        for (index, value) in values.enumerated() {
            elements.append(try read(JSONCursor(value, reading, base, .index(index))))
        }
        return elements
    }

    // MARK: Leaves

    /// A text.
    package func string() throws(Reading.Failure) -> String {
        guard let text = reading.string(value) else { throw wrongKind(.string) }
        return text
    }

    /// True or false.
    package func boolean() throws(Reading.Failure) -> Bool {
        guard let flag = reading.boolean(value) else { throw wrongKind(.boolean) }
        return flag
    }

    /// An integer within bounds.
    package func integer(in range: ClosedRange<Int> = .min ... .max) throws(Reading.Failure) -> Int {
        guard let number = reading.integer(value) else { throw wrongKind(.integer) }
        guard range.contains(number) else {
            throw failure(.outOfRange("\(number)", least: "\(range.lowerBound)", most: "\(range.upperBound)"))
        }
        return number
    }

    /// A number; within bounds, where some are given.
    package func number(in range: ClosedRange<Double>? = nil) throws(Reading.Failure) -> Double {
        guard let number = reading.number(value) else { throw wrongKind(.number) }
        guard range?.contains(number) ?? true else {
            let (least, most) = (range?.lowerBound ?? 0, range?.upperBound ?? 0)
            throw failure(.outOfRange("\(number)", least: "\(least)", most: "\(most)"))
        }
        return number
    }
}
