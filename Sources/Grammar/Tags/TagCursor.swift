internal import JSON

/// A value of a structural tag and where it stands.
struct TagCursor {
    let value: JSONValue
    let pointer: String

    /// The error for a complaint about it.
    func refusal(_ reason: String) -> GrammarError {
        GrammarError("structural tag at \(pointer.isEmpty ? "#" : pointer): \(reason)")
    }

    /// The member with a key; nil where there is none or it is null.
    subscript(key: String) -> TagCursor? {
        guard let member = value[key], !member.isNull else { return nil }
        return TagCursor(value: member, pointer: "\(pointer)/\(SchemaDocument.escaped(key))")
    }

    /// The member with a key, which must be there.
    func required(_ key: String) throws(GrammarError) -> TagCursor {
        guard let member = self[key] else { throw refusal("\"\(key)\" is missing") }
        return member
    }

    /// The elements of an array.
    func elements() throws(GrammarError) -> [TagCursor] {
        guard case .array(let list) = value else { throw refusal("must be a list") }
        return list.enumerated().map { TagCursor(value: $1, pointer: "\(pointer)/\($0)") }
    }

    func text() throws(GrammarError) -> String {
        guard let text = value.stringValue else { throw refusal("must be a string") }
        return text
    }

    /// A text, or the text of a token.
    func markerText() throws(GrammarError) -> String {
        if self["type"]?.value == "token" { return try required("token").text() }
        return try text()
    }

    func texts() throws(GrammarError) -> [String] {
        var texts: [String] = []
        for element in try elements() { texts.append(try element.text()) }
        return texts
    }

    func flag() throws(GrammarError) -> Bool {
        guard let flag = value.boolValue else { throw refusal("must be a boolean") }
        return flag
    }

    func number(least: Int) throws(GrammarError) -> Int {
        guard let number = value.intValue, number >= least, number <= 1 << 20 else { throw refusal("must be a count") }
        return number
    }

    /// Tells the place of this value with what is wrong inside it.
    func relocating<Result>(_ body: () throws(GrammarError) -> Result) throws(GrammarError) -> Result {
        do throws(GrammarError) { return try body() } catch { throw refusal("\(error)") }
    }
}
