/// One `name: value` of a configuration file.
struct ConfigurationEntry: Equatable {
    /// What stands after the colon.
    enum Value: Equatable {
        /// Nothing, `null` or `~`: the entry says nothing.
        case null
        /// `true` or `false`, unquoted.
        case bool(Bool)
        /// Anything else, unquoted if it was quoted.
        case word(String)
        /// A list in brackets or on lines that begin with a dash.
        case list([String])
    }

    /// Name of the flag with dashes or underscores.
    let key: String
    /// The value.
    let value: Value
    /// Line of the key, from 1.
    let line: Int
}

/// Reads the small part of YAML that a file of flags needs: `name: value` lines, lists, quotes, comments.
///
/// A value that begins with a brace is kept as it stands, since JSON is YAML. Nested maps, anchors, tags and
/// block scalars are refused.
struct ConfigurationFile {
    /// The entries in the order of the file.
    private(set) var entries: [ConfigurationEntry] = []

    /// Reads a whole file; `path` is for messages only.
    init(_ text: String, path: String) throws(UsageError) {
        var pending: (key: String, items: [String], line: Int)?
        for (index, raw) in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).enumerated() {
            do throws(Malformed) {
                let line = Self.withoutComment(raw)
                let body = Self.trimmed(line)
                if body.isEmpty || body == "---" && entries.isEmpty && pending == nil { continue }
                if body == "-" || body.hasPrefix("- ") {
                    guard pending != nil else { throw Malformed("a list item belongs under a name") }
                    pending?.items.append(try Self.scalar(body.dropFirst()))
                    continue
                }
                if let open = pending { finish(open) }
                pending = nil
                guard line.first?.isWhitespace == false else { throw Malformed("nested maps are not understood") }
                let (key, rest) = try Self.pair(body)
                if rest.isEmpty {
                    pending = (key, [], index + 1)
                } else {
                    entries.append(ConfigurationEntry(key: key, value: try Self.value(rest), line: index + 1))
                }
            } catch {
                throw .configuration("\(path), line \(index + 1): \(error.text)")
            }
        }
        if let open = pending { finish(open) }
    }

    private mutating func finish(_ open: (key: String, items: [String], line: Int)) {
        let value = open.items.isEmpty ? ConfigurationEntry.Value.null : .list(open.items)
        entries.append(ConfigurationEntry(key: open.key, value: value, line: open.line))
    }

    /// What is wrong with a line.
    private struct Malformed: Error {
        let text: String
        init(_ text: String) { self.text = text }
    }

    /// Cuts at a `#` that stands outside of quotes, at the beginning or after a blank.
    private static func withoutComment(_ line: Substring) -> Substring {
        var quote: Character?
        var previous: Character = " "
        for index in line.indices {
            let character = line[index]
            if let open = quote {
                if character == open, !(open == "\"" && previous == "\\") { quote = nil }
            } else if character == "\"" || character == "'", " \t[{,:".contains(previous) {
                quote = character
            } else if character == "#", previous.isWhitespace {
                return line[..<index]
            }
            previous = character
        }
        return line
    }

    private static func pair(_ body: Substring) throws(Malformed) -> (key: String, rest: Substring) {
        var index = body.startIndex
        while let colon = body[index...].firstIndex(of: ":") {
            let next = body.index(after: colon)
            if next == body.endIndex || body[next].isWhitespace {
                let key = try scalar(body[..<colon])
                guard !key.isEmpty else { break }
                return (key, trimmed(body[next...]))
            }
            index = next
        }
        throw Malformed("expected 'name: value'")
    }

    private static func value(_ text: Substring) throws(Malformed) -> ConfigurationEntry.Value {
        switch text.lowercased() {
        case "null", "~": return .null
        case "true": return .bool(true)
        case "false": return .bool(false)
        default: break
        }
        if text.hasPrefix("[") {
            guard text.hasSuffix("]") else { throw Malformed("a list must end with ']' on the same line") }
            let inside = trimmed(text.dropFirst().dropLast())
            if inside.isEmpty { return .list([]) }
            var items: [String] = []
            for item in split(inside) { items.append(try scalar(item)) }
            return .list(items)
        }
        if let first = text.first, "&*!|>%@`".contains(first) {
            throw Malformed("'\(first)' is YAML that is not understood here; put the value in quotes")
        }
        return .word(try scalar(text))
    }

    /// Splits the inside of a bracketed list at commas outside of quotes.
    private static func split(_ text: Substring) -> [Substring] {
        var parts: [Substring] = []
        var start = text.startIndex
        var quote: Character?
        for index in text.indices {
            let character = text[index]
            if let open = quote {
                if character == open { quote = nil }
            } else if character == "\"" || character == "'" {
                quote = character
            } else if character == "," {
                parts.append(text[start..<index])
                start = text.index(after: index)
            }
        }
        return parts + [text[start...]]
    }

    /// One word without its quotes.
    private static func scalar(_ text: Substring) throws(Malformed) -> String {
        let body = trimmed(text)
        guard let quote = body.first, quote == "\"" || quote == "'" else { return String(body) }
        guard body.count >= 2, body.last == quote else { throw Malformed("a quote is not closed") }
        let inside = body.dropFirst().dropLast()
        if quote == "'" { return replacingDoubled("'", in: inside) }
        var result = ""
        var isEscaped = false
        for character in inside {
            if isEscaped {
                guard let plain = ["n": "\n", "t": "\t", "\\": "\\", "\"": "\"", "/": "/"][character] else {
                    throw Malformed("'\\\(character)' is not understood")
                }
                result += plain
                isEscaped = false
            } else if character == "\\" {
                isEscaped = true
            } else {
                result.append(character)
            }
        }
        if isEscaped { throw Malformed("a quote is not closed") }
        return result
    }

    private static func replacingDoubled(_ quote: Character, in text: Substring) -> String {
        var result = ""
        var isSecond = false
        for character in text {
            isSecond = character == quote && !isSecond
            if character != quote || isSecond { result.append(character) }
        }
        return result
    }

    private static func trimmed(_ text: Substring) -> Substring {
        var body = text
        while body.first?.isWhitespace == true { body.removeFirst() }
        while body.last?.isWhitespace == true { body.removeLast() }
        return body
    }
}
