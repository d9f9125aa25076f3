/// Strict JSON (RFC 8259): parsing by json-c behind a lexical check, encoding, and cursors for typed reading.
package enum JSON {
    /// Which numbers a text may hold.
    package enum Dialect: Sendable {
        /// Those of RFC 8259 that a 64-bit integer or a double holds; for what clients send.
        case strict
        /// Also what Python's `json` writes and reads: NaN, Infinity and -Infinity, numbers beyond double, which become
        /// infinities, and integers beyond 64 bits, which become the nearest that fits ("no limit" as 10^30); for files
        /// of models. Everything else is as strict.
        case python
    }

    /// Reads one JSON text.
    ///
    /// Rejected, with the offset of the offending byte: anything RFC 8259 does not allow (NaN and Infinity, comments,
    /// single quotes, trailing commas, trailing bytes, control characters in strings, a byte order mark), invalid
    /// UTF-8,
    /// lone surrogates, integers beyond 64 bits, numbers beyond double, arrays and objects nested deeper than
    /// `maximumDepth` (at most 1,000), and a NUL in an object key. Time is linear in the length. See `Dialect` for the
    /// numbers that files may hold beyond these.
    package static func parse(
        _ bytes: UnsafeRawBufferPointer, maximumDepth: Int = 128, dialect: Dialect = .strict
    ) throws(JSONError) -> JSONValue {
        let depth = min(max(maximumDepth, 1), 1_000)
        var scanner = LexicalScanner(bytes: bytes, maximumDepth: depth, dialect: dialect)
        try scanner.scan()
        if scanner.misreadPairs.isEmpty { return try TreeParser.parse(bytes, maximumDepth: depth) }
        do {
            return try parseTree(scanner.rewritten(), depth)
        } catch {
            throw .syntax(offset: scanner.original(error.offset), reason: error.reason)
        }
    }

    /// Reads one JSON text from an array of bytes.
    package static func parse(
        _ bytes: [UInt8], maximumDepth: Int = 128, dialect: Dialect = .strict
    ) throws(JSONError) -> JSONValue {
        let outcome = bytes.withUnsafeBytes { raw -> Result<JSONValue, JSONError> in
            do throws(JSONError) {
                return .success(try parse(raw, maximumDepth: maximumDepth, dialect: dialect))
            } catch {
                return .failure(error)
            }
        }
        return try outcome.get()
    }

    private static func parseTree(_ bytes: [UInt8], _ depth: Int) throws(JSONError) -> JSONValue {
        let outcome = bytes.withUnsafeBytes { raw -> Result<JSONValue, JSONError> in
            do throws(JSONError) { return .success(try TreeParser.parse(raw, maximumDepth: depth)) } catch {
                return .failure(error)
            }
        }
        return try outcome.get()
    }

    /// Reads one JSON text from a string.
    package static func parse(_ text: String, maximumDepth: Int = 128) throws(JSONError) -> JSONValue {
        try parse(Array(text.utf8), maximumDepth: maximumDepth)
    }

    /// Compact JSON: no spaces, members in order, UTF-8 unescaped except where JSON demands it, doubles as Python's
    /// `repr` writes them (shortest that reads back equal), NaN and infinities as null.
    package static func encode(_ value: JSONValue) -> [UInt8] {
        var writer = JSONWriter()
        writer.value(value)
        return writer.bytes
    }

    /// The same as `encode`, as a string.
    package static func encodeToString(_ value: JSONValue) -> String {
        String(decoding: encode(value), as: UTF8.self)
    }
}
