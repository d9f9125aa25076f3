internal import JSON

/// How the files of a tokenizer are read: nothing is forgiven, and errors name file and path.
struct TokenizerReading: JSONReading {
    let file: String

    func failure(at path: String, _ complaint: JSONComplaint) -> TokenizerError {
        .malformed(file: file, path: path, reason: Self.reason(complaint))
    }

    private static func reason(_ complaint: JSONComplaint) -> String {
        switch complaint {
        case .missing: "required field is missing"
        case .wrongKind(let kind, let found): "expected \(word(kind)), got \(found.kindName)"
        case .outOfRange(let value, let least, let most): "\(value) is out of range \(least)...\(most)"
        case .other(let words): words
        }
    }

    private static func word(_ kind: JSONComplaint.Kind) -> String {
        switch kind {
        case .string: "string"
        case .integer: "integer"
        case .number: "number"
        case .boolean: "boolean"
        case .array: "array"
        case .object: "object"
        case .other(let word): word
        }
    }
}

/// A value in a file of a tokenizer.
typealias TokenizerCursor = JSONCursor<TokenizerReading>

extension JSONCursor where Reading == TokenizerReading {
    /// The root of a file.
    init(parsing bytes: [UInt8], file: String) throws(TokenizerError) {
        do {
            // Hugging Face writes "no limit" as the integer 10^30.
            self.init(try JSON.parse(bytes, dialect: .python), file: file)
        } catch {
            throw .notJSON(file: file, reason: error.description)
        }
    }

    /// The root of a file that was read before.
    init(_ value: JSONValue, file: String) { self.init(value, TokenizerReading(file: file)) }

    /// A complaint about a component that does not exist here.
    func unsupported(_ feature: String) -> TokenizerError {
        .unsupported(file: reading.file, path: path, feature: feature)
    }

    /// A token id.
    func tokenID() throws(TokenizerError) -> Int32 {
        guard case .int(let number) = value else { throw wrongKind(.integer) }
        guard number >= 0, number < Vocabulary.idLimit else {
            throw failure("token id \(number) is out of range 0..<\(Vocabulary.idLimit)")
        }
        return Int32(number)
    }

    /// A small count.
    func count() throws(TokenizerError) -> Int {
        guard case .int(let number) = value, number >= 0, number <= 1 << 30 else { throw wrongKind(.other("count")) }
        return Int(number)
    }

    /// Exactly one Unicode scalar.
    func scalar() throws(TokenizerError) -> Unicode.Scalar {
        let scalars = try string().unicodeScalars
        guard let scalar = scalars.first, scalars.count == 1 else { throw failure("expected one character") }
        return scalar
    }

    /// True or false at a key, with a default for a missing or null one.
    func boolean(_ key: String, default fallback: Bool) throws(TokenizerError) -> Bool {
        try member(key)?.boolean() ?? fallback
    }
}
