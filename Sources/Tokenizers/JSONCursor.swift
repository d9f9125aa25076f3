internal import JSON

/// A JSON value together with where it stands, so that every complaint names file and path.
struct JSONCursor {
    let file: String
    let path: String
    let value: JSONValue

    /// The root of a file.
    init(parsing bytes: [UInt8], file: String) throws(TokenizerError) {
        do {
            // Hugging Face writes "no limit" as the integer 10^30.
            value = try JSON.parse(bytes, dialect: .python)
        } catch {
            throw .notJSON(file: file, reason: error.description)
        }
        self.file = file
        path = ""
    }

    /// The root of a file that was read before.
    init(_ value: JSONValue, file: String) { self.init(file: file, path: "", value: value) }

    private init(file: String, path: String, value: JSONValue) {
        self.file = file
        self.path = path
        self.value = value
    }

    /// A complaint about this value.
    func malformed(_ reason: String) -> TokenizerError { .malformed(file: file, path: path, reason: reason) }

    /// A complaint about a component that does not exist here.
    func unsupported(_ feature: String) -> TokenizerError { .unsupported(file: file, path: path, feature: feature) }

    private func expected(_ kind: String) -> TokenizerError { malformed("expected \(kind), got \(value.kindName)") }

    /// The member, or nil if it is missing or null.
    func optional(_ key: String) throws(TokenizerError) -> JSONCursor? {
        guard case .object(let members) = value else { throw expected("object") }
        guard let member = members[key], !member.isNull else { return nil }
        return JSONCursor(file: file, path: path.isEmpty ? key : "\(path).\(key)", value: member)
    }

    /// The member, which must be there.
    func required(_ key: String) throws(TokenizerError) -> JSONCursor {
        guard let member = try optional(key) else {
            throw .malformed(
                file: file, path: path.isEmpty ? key : "\(path).\(key)", reason: "required field is missing")
        }
        return member
    }

    func string() throws(TokenizerError) -> String {
        guard case .string(let text) = value else { throw expected("string") }
        return text
    }

    func bool() throws(TokenizerError) -> Bool {
        guard case .bool(let flag) = value else { throw expected("boolean") }
        return flag
    }

    /// A token id.
    func tokenID() throws(TokenizerError) -> Int32 {
        guard case .int(let number) = value else { throw expected("integer") }
        guard number >= 0, number < Vocabulary.idLimit else {
            throw malformed("token id \(number) is out of range 0..<\(Vocabulary.idLimit)")
        }
        return Int32(number)
    }

    /// A small count.
    func count() throws(TokenizerError) -> Int {
        guard case .int(let number) = value, number >= 0, number <= 1 << 30 else { throw expected("count") }
        return Int(number)
    }

    /// Exactly one Unicode scalar.
    func scalar() throws(TokenizerError) -> Unicode.Scalar {
        let scalars = try string().unicodeScalars
        guard let scalar = scalars.first, scalars.count == 1 else { throw malformed("expected one character") }
        return scalar
    }

    func elements() throws(TokenizerError) -> [JSONCursor] {
        guard case .array(let values) = value else { throw expected("array") }
        return values.enumerated().map { JSONCursor(file: file, path: "\(path)[\($0)]", value: $1) }
    }

    func object() throws(TokenizerError) -> JSONObject {
        guard case .object(let members) = value else { throw expected("object") }
        return members
    }

    /// A cursor at a child that the caller took out of the value itself.
    func child(_ place: String, _ value: JSONValue) -> JSONCursor {
        JSONCursor(file: file, path: path + place, value: value)
    }

    /// Typed members with a default for a missing or null one.
    func bool(_ key: String, default fallback: Bool) throws(TokenizerError) -> Bool {
        try optional(key)?.bool() ?? fallback
    }
}
