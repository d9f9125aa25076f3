/// Reads a text scalar by scalar, and knows at which byte it is.
struct TextReader {
    private let scalars: [Unicode.Scalar]
    private(set) var place = 0

    init(_ text: String) { scalars = Array(text.unicodeScalars) }

    /// The next scalar, or one behind it; nil at the end.
    func peek(_ ahead: Int = 0) -> Unicode.Scalar? {
        place + ahead < scalars.count ? scalars[place + ahead] : nil
    }

    var isAtEnd: Bool { place >= scalars.count }

    /// Goes over a scalar.
    mutating func next() -> Unicode.Scalar? {
        guard place < scalars.count else { return nil }
        place += 1
        return scalars[place - 1]
    }

    /// Goes over a text if it comes next.
    mutating func skip(_ text: String) -> Bool {
        var ahead = 0
        for scalar in text.unicodeScalars {
            if peek(ahead) != scalar { return false }
            ahead += 1
        }
        place += ahead
        return true
    }

    /// Goes over scalars for which something is so.
    mutating func take(while condition: (Unicode.Scalar) -> Bool) -> String {
        var text = String.UnicodeScalarView()
        while let scalar = peek(), condition(scalar) {
            text.append(scalar)
            place += 1
        }
        return String(text)
    }

    /// Goes back to a place.
    mutating func rewind(to place: Int) { self.place = place }

    /// An error at a place; nil: where it is now.
    func failure(_ reason: String, at place: Int? = nil) -> GrammarError {
        let offset = scalars[..<min(place ?? self.place, scalars.count)].reduce(0) { $0 + UTF8.width($1) }
        return GrammarError(reason, at: .offset(offset))
    }

    /// A number of exactly, or of up to, so many hexadecimal digits.
    mutating func hex(_ least: Int, _ most: Int) throws(GrammarError) -> UInt32 {
        let begin = place
        var value: UInt32 = 0
        var count = 0
        while count < most, let digit = peek()?.hexValue {
            value = value << 4 | digit
            count += 1
            place += 1
        }
        guard count >= least else { throw failure("hexadecimal digits are missing", at: begin) }
        return value
    }

    /// A decimal number; nil where none comes next.
    mutating func decimal() throws(GrammarError) -> Int? {
        let begin = place
        let digits = take { ("0"..."9").contains($0) }
        if digits.isEmpty { return nil }
        guard let value = Int(digits), value <= 1 << 20 else { throw failure("a count is too large", at: begin) }
        return value
    }

    /// What stands behind `{` in a quantifier, up to `}`; nil, and nothing read, where it is none.
    mutating func bounds() throws(GrammarError) -> (least: Int, most: Int?)? {
        let begin = place
        let least = try decimal()
        var most = least
        if skip(",") {
            most = try decimal()
            if least == nil && most == nil { return stepBack(begin) }
        } else if least == nil {
            return stepBack(begin)
        }
        guard skip("}") else { return stepBack(begin) }
        if let most, most < least ?? 0 { throw failure("a quantifier's bounds are the wrong way round", at: begin) }
        return (least ?? 0, most)
    }

    private mutating func stepBack(_ begin: Int) -> (least: Int, most: Int?)? {
        place = begin
        return nil
    }
}

extension Unicode.Scalar {
    /// The value of a hexadecimal digit.
    var hexValue: UInt32? {
        switch self {
        case "0"..."9": value - 0x30
        case "a"..."f": value - 0x57
        case "A"..."F": value - 0x37
        default: nil
        }
    }

    /// A letter of ASCII.
    var isLetter: Bool { ("a"..."z").contains(self) || ("A"..."Z").contains(self) }
}
