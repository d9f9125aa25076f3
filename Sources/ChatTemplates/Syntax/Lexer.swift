/// Cuts a template into tokens as Jinja does with `trim_blocks` and `lstrip_blocks` on and `keep_trailing_newline` off.
struct Lexer {
    private let source: [Unicode.Scalar]
    private var position = 0
    private var line = 1
    private var tokens: [Token] = []
    /// Closing brackets still expected; inside of brackets no tag ends.
    private var brackets: [Unicode.Scalar] = []
    /// Whether what was read last ended a line.
    private var isAtLineStart = true

    private init(_ text: String) {
        var source: [Unicode.Scalar] = []
        var previous: Unicode.Scalar?
        for scalar in text.unicodeScalars {
            if scalar == "\r" {
                source.append("\n")
            } else if !(scalar == "\n" && previous == "\r") {
                source.append(scalar)
            }
            previous = scalar
        }
        if source.last == "\n" { source.removeLast() }
        self.source = source
    }

    /// All tokens of a template, `end` last.
    static func tokens(of text: String) throws(TemplateError) -> [Token] {
        var lexer = Lexer(text)
        while lexer.position < lexer.source.count { try lexer.readText() }
        lexer.append(.end)
        return lexer.tokens
    }

    private mutating func append(_ kind: Token.Kind) { tokens.append(Token(line: line, kind: kind)) }

    private func fail(_ reason: String) -> TemplateError { TemplateError(.syntax, line: line, reason) }

    // MARK: Looking

    private func peek(_ offset: Int = 0) -> Unicode.Scalar? {
        position + offset < source.count ? source[position + offset] : nil
    }

    private func matches(_ text: String, at place: Int) -> Bool {
        var place = place
        for scalar in text.unicodeScalars {
            guard place < source.count, source[place] == scalar else { return false }
            place += 1
        }
        return true
    }

    private func skippingSpace(from place: Int) -> Int {
        var place = place
        while place < source.count, PythonText.isSpace(source[place]) { place += 1 }
        return place
    }

    /// Moves on, counting lines.
    private mutating func advance(to place: Int) {
        guard place > position else { return }
        for index in position..<place where source[index] == "\n" { line += 1 }
        isAtLineStart = source[place - 1] == "\n"
        position = place
    }

    // MARK: Text and tags

    private enum Tag { case output, block, comment, raw }

    /// Reads text up to the next tag, and the tag.
    private mutating func readText() throws(TemplateError) {
        var place = position
        while place < source.count, !(source[place] == "{" && isTag(at: place)) { place += 1 }
        guard place < source.count else {
            append(.text(String(source[position...])))
            return advance(to: place)
        }
        let sign = place + 2 < source.count && "-+".unicodeScalars.contains(source[place + 2]) ? source[place + 2] : nil
        let afterRaw = endOfRawTag(at: place)
        let tag: Tag =
            if afterRaw != nil { .raw } else if source[place + 1] == "{" { .output } else if source[place + 1] == "#" {
                .comment
            } else {
                .block
            }
        readData(to: place, sign: sign, strips: tag != .output)
        let start = place + (sign == nil ? 2 : 3)
        switch tag {
        case .raw:
            advance(to: afterRaw ?? place)
            try readRaw()
        case .comment:
            advance(to: start)
            try skipComment()
        case .output:
            append(.outputBegin)
            advance(to: start)
            try readTag(isBlock: false)
        case .block:
            append(.blockBegin)
            advance(to: start)
            try readTag(isBlock: true)
        }
    }

    private func isTag(at place: Int) -> Bool {
        place + 1 < source.count && "{%#".unicodeScalars.contains(source[place + 1])
    }

    /// The text before a tag, less the space that the tag takes away.
    private mutating func readData(to place: Int, sign: Unicode.Scalar?, strips: Bool) {
        var end = place
        if sign == "-" {
            while end > position, PythonText.isSpace(source[end - 1]) { end -= 1 }
        } else if sign == nil, strips {
            var start = end
            while start > position, source[start - 1] != "\n", PythonText.isSpace(source[start - 1]) { start -= 1 }
            if start > position ? source[start - 1] == "\n" : isAtLineStart { end = start }
        }
        if end > position { append(.text(String(source[position..<end]))) }
        advance(to: place)
    }

    /// The place behind `{% raw %}`, where one begins here.
    private func endOfRawTag(at place: Int) -> Int? {
        guard matches("{%", at: place) else { return nil }
        var place = place + 2
        if place < source.count, "-+".unicodeScalars.contains(source[place]) { place += 1 }
        place = skippingSpace(from: place)
        guard matches("raw", at: place) else { return nil }
        place = skippingSpace(from: place + 3)
        if matches("-%}", at: place) { return skippingSpace(from: place + 3) }
        return matches("%}", at: place) ? place + 2 : nil
    }

    private mutating func readRaw() throws(TemplateError) {
        var place = position
        while place < source.count {
            if let end = endOfEndraw(at: place) {
                let sign = "-+".unicodeScalars.contains(source[place + 2]) ? source[place + 2] : nil
                readData(to: place, sign: sign, strips: true)
                return advance(to: end)
            }
            place += 1
        }
        throw fail("a raw block is not closed")
    }

    private func endOfEndraw(at place: Int) -> Int? {
        guard matches("{%", at: place) else { return nil }
        var place = place + 2
        if place < source.count, "-+".unicodeScalars.contains(source[place]) { place += 1 }
        place = skippingSpace(from: place)
        guard matches("endraw", at: place) else { return nil }
        return endOfTag("%}", at: skippingSpace(from: place + 6), takesNewline: true)
    }

    /// The place behind a closing mark and the space it takes away, where one stands here.
    private func endOfTag(_ mark: String, at place: Int, takesNewline: Bool) -> Int? {
        let length = mark.utf8.count
        guard place < source.count else { return nil }
        if source[place] == "-", matches(mark, at: place + 1) { return skippingSpace(from: place + 1 + length) }
        if takesNewline, source[place] == "+", matches(mark, at: place + 1) { return place + 1 + length }
        guard matches(mark, at: place) else { return nil }
        let end = place + length
        return takesNewline && end < source.count && source[end] == "\n" ? end + 1 : end
    }

    private mutating func skipComment() throws(TemplateError) {
        var place = position
        while place < source.count {
            if let end = endOfTag("#}", at: place, takesNewline: true) { return advance(to: end) }
            place += 1
        }
        throw fail("a comment is not closed")
    }

    // MARK: Inside a tag

    private mutating func readTag(isBlock: Bool) throws(TemplateError) {
        brackets = []
        while let scalar = peek() {
            if brackets.isEmpty {
                let end =
                    isBlock
                    ? endOfTag("%}", at: position, takesNewline: true)
                    : endOfTag("}}", at: position, takesNewline: false)
                if let end {
                    append(isBlock ? .blockEnd : .outputEnd)
                    return advance(to: end)
                }
            }
            if PythonText.isSpace(scalar) {
                advance(to: skippingSpace(from: position))
            } else if (48...57).contains(scalar.value) {
                try readNumber()
            } else if scalar == "_" || scalar.properties.isXIDContinue {
                try readName()
            } else if scalar == "'" || scalar == "\"" {
                try readString(quote: scalar)
            } else {
                try readSymbol(scalar)
            }
        }
    }

    private mutating func readName() throws(TemplateError) {
        var end = position
        while end < source.count, source[end] == "_" || source[end].properties.isXIDContinue { end += 1 }
        guard source[position] == "_" || source[position].properties.isXIDStart else {
            throw fail("a name must not begin with '\(source[position])'")
        }
        append(.name(String(source[position..<end])))
        advance(to: end)
    }

    private mutating func readSymbol(_ scalar: Unicode.Scalar) throws(TemplateError) {
        guard let symbol = Token.Symbol.allCases.first(where: { matches($0.rawValue, at: position) }) else {
            throw fail("unexpected character '\(scalar)'")
        }
        switch symbol {
        case .leftBrace: brackets.append("}")
        case .leftParenthesis: brackets.append(")")
        case .leftBracket: brackets.append("]")
        case .rightBrace, .rightParenthesis, .rightBracket:
            guard let expected = brackets.popLast() else { throw fail("unexpected '\(scalar)'") }
            if expected != scalar { throw fail("unexpected '\(scalar)', expected '\(expected)'") }
        default: break
        }
        append(.symbol(symbol))
        advance(to: position + symbol.rawValue.unicodeScalars.count)
    }

    // MARK: Literals

    /// Reads digits that may have single underscores between them; the end, or nil without a digit.
    private func endOfDigits(from place: Int, where isDigit: (Unicode.Scalar) -> Bool) -> Int? {
        guard place < source.count, isDigit(source[place]) else { return nil }
        var place = place + 1
        while place < source.count {
            if isDigit(source[place]) {
                place += 1
            } else if source[place] == "_", place + 1 < source.count, isDigit(source[place + 1]) {
                place += 2
            } else {
                break
            }
        }
        return place
    }

    private mutating func readNumber() throws(TemplateError) {
        let isDecimal = { (scalar: Unicode.Scalar) in (48...57).contains(scalar.value) }
        let whole = endOfDigits(from: position, where: isDecimal) ?? position
        var end = whole
        let followsDot = position > 0 && source[position - 1] == "."
        if !followsDot, end < source.count, source[end] == ".",
            let fraction = endOfDigits(from: end + 1, where: isDecimal)
        {
            end = fraction
        }
        if !followsDot, end < source.count, source[end] == "e" || source[end] == "E" {
            let signed = end + 1 < source.count && "+-".unicodeScalars.contains(source[end + 1])
            if let exponent = endOfDigits(from: end + (signed ? 2 : 1), where: isDecimal) { end = exponent }
        }
        if end > whole {
            let text = String(source[position..<end]).filter { $0 != "_" }
            append(.float(Double(text) ?? .infinity))
            return advance(to: end)
        }
        try readInteger(decimalEnd: whole)
    }

    private mutating func readInteger(decimalEnd: Int) throws(TemplateError) {
        let radixes: [(Unicode.Scalar, Int)] = [("b", 2), ("o", 8), ("x", 16)]
        var radix = 10
        var start = position
        var end = decimalEnd
        let mark = peek(1)?.properties.lowercaseMapping
        if source[position] == "0", let found = radixes.first(where: { String($0.0) == mark }) {
            let from = peek(2) == "_" ? position + 3 : position + 2
            let isDigit = { (scalar: Unicode.Scalar) in
                scalar.isASCII && Character(scalar).hexDigitValue.map { $0 < found.1 } ?? false
            }
            if let digitsEnd = endOfDigits(from: from, where: isDigit) {
                (radix, start, end) = (found.1, from, digitsEnd)
            }
        } else if source[position] == "0" {
            // A decimal that begins with zero is zeros only.
            end = endOfDigits(from: position) { $0 == "0" } ?? position + 1
        }
        guard let number = Int(String(source[start..<end]).filter { $0 != "_" }, radix: radix) else {
            throw fail("an integer beyond 64 bits")
        }
        append(.int(number))
        advance(to: end)
    }

    private mutating func readString(quote: Unicode.Scalar) throws(TemplateError) {
        var end = position + 1
        while end < source.count, source[end] != quote { end += source[end] == "\\" ? 2 : 1 }
        guard end < source.count else { throw fail("a string is not closed") }
        do throws(TemplateError) {
            append(.string(try StringLiteral.decode(source[(position + 1)..<end])))
        } catch {
            throw fail(error.reason)
        }
        advance(to: end + 1)
    }
}
