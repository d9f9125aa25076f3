/// Sets of scalars as regular expressions write them.
enum ScalarClass {
    /// All but ends of lines.
    static let dot = ScalarSet([0x0A...0x0A, 0x0D...0x0D, 0x2028...0x2029]).inverted
    /// `\d`
    static let digits = ScalarSet([0x30...0x39])
    /// `\w`
    static let word = ScalarSet([0x30...0x39, 0x41...0x5A, 0x5F...0x5F, 0x61...0x7A])
    /// `\s`
    static let space = ScalarSet([
        0x09...0x0D, 0x20...0x20, 0xA0...0xA0, 0x1680...0x1680, 0x2000...0x200A, 0x2028...0x2029, 0x202F...0x202F,
        0x205F...0x205F, 0x3000...0x3000, 0xFEFF...0xFEFF,
    ])

    /// What stands in brackets, the first of which is read.
    static func read(_ reader: inout TextReader, _ begin: Int) throws(GrammarError) -> ScalarSet {
        let isInverted = reader.skip("^")
        var ranges: [ClosedRange<UInt32>] = []
        while !reader.skip("]") {
            guard !reader.isAtEnd else { throw reader.failure("a class is not closed", at: begin) }
            let place = reader.place
            let low = try member(&reader)
            guard reader.peek() == "-", let behind = reader.peek(1), behind != "]" else {
                ranges += low.ranges
                continue
            }
            _ = reader.next()
            let high = try member(&reader)
            guard let first = low.only, let last = high.only, first <= last else {
                throw reader.failure("a range of a class is none", at: place)
            }
            ranges.append(first...last)
        }
        if ranges.isEmpty && !isInverted { throw reader.failure("a class is empty", at: begin) }
        let set = ScalarSet(ranges)
        return isInverted ? set.inverted : set
    }

    private static func member(_ reader: inout TextReader) throws(GrammarError) -> ScalarSet {
        guard let scalar = reader.next() else { throw reader.failure("a class is not closed") }
        return scalar == "\\" ? try escape(&reader, inClass: true) : ScalarSet(scalar.value)
    }

    /// What stands behind a backslash that is read.
    static func escape(_ reader: inout TextReader, inClass: Bool) throws(GrammarError) -> ScalarSet {
        let begin = reader.place
        guard let scalar = reader.next() else { throw reader.failure("nothing is escaped", at: begin) }
        switch scalar {
        case "d": return digits
        case "D": return digits.inverted
        case "w": return word
        case "W": return word.inverted
        case "s": return space
        case "S": return space.inverted
        case "n": return ScalarSet(0x0A)
        case "r": return ScalarSet(0x0D)
        case "t": return ScalarSet(0x09)
        case "f": return ScalarSet(0x0C)
        case "v": return ScalarSet(0x0B)
        case "a": return ScalarSet(0x07)
        case "e": return ScalarSet(0x1B)
        case "b" where inClass: return ScalarSet(0x08)
        case "b", "B": throw reader.failure("word boundaries cannot be had", at: begin)
        case "0": return ScalarSet(0)
        case "1"..."9": throw reader.failure("references back cannot be had", at: begin)
        case "k": throw reader.failure("references back cannot be had", at: begin)
        case "c":
            guard let letter = reader.next(), letter.isLetter else {
                throw reader.failure("a control character is malformed", at: begin)
            }
            return ScalarSet(letter.value % 32)
        case "x", "u", "U": return ScalarSet(try code(&reader, scalar, begin))
        case "p", "P":
            let set = try property(&reader, begin)
            return scalar == "p" ? set : set.inverted
        default:
            if scalar.isLetter { throw reader.failure("the escape \\\(scalar) is unknown", at: begin) }
            return ScalarSet(scalar.value)
        }
    }

    /// The scalar of `\xHH`, `\uHHHH` (or a pair of such), `\u{…}`, `\x{…}` and `\UHHHHHHHH`.
    static func code(_ reader: inout TextReader, _ kind: Unicode.Scalar, _ begin: Int) throws(GrammarError) -> UInt32 {
        var value: UInt32
        if reader.skip("{") {
            value = try reader.hex(1, 6)
            guard reader.skip("}") else { throw reader.failure("an escape is not closed", at: begin) }
        } else {
            let digits = kind == "x" ? 2 : kind == "u" ? 4 : 8
            value = try reader.hex(digits, digits)
        }
        if (0xD800...0xDBFF).contains(value), reader.skip("\\u") {
            let low = try reader.hex(4, 4)
            guard (0xDC00...0xDFFF).contains(low) else { throw reader.failure("a surrogate stands alone", at: begin) }
            value = 0x10000 + (value - 0xD800) << 10 + (low - 0xDC00)
        }
        guard Unicode.Scalar(value) != nil else { throw reader.failure("\(value) is no character", at: begin) }
        return value
    }

    private static func property(_ reader: inout TextReader, _ begin: Int) throws(GrammarError) -> ScalarSet {
        guard reader.skip("{") else { throw reader.failure("a property's name is missing", at: begin) }
        let name = reader.take { $0 != "}" }
        guard reader.skip("}") else { throw reader.failure("a property is not closed", at: begin) }
        guard let set = ScalarProperty.named(name) else {
            throw reader.failure("the property \(name) is unknown", at: begin)
        }
        return set
    }
}

extension ScalarSet {
    /// The only scalar of a set of one.
    fileprivate var only: UInt32? {
        ranges.count == 1 && ranges[0].count == 1 ? ranges[0].lowerBound : nil
    }
}
