/// Reads regular expressions as ECMA-262 writes them, and what Python and Rust add where it means the same: named groups,
/// `\A`, `\z`, `\x{…}`. Refused is what no finite automaton has (references back), and what would change the meaning of what stands
/// around it (lookaround, word boundaries, flags).
struct RegexParser {
    private var reader: TextReader
    private let mostDepth: Int
    private var depth = 0

    /// Reads a whole expression.
    static func parse(_ pattern: String, depth: Int) throws(GrammarError) -> RegexNode {
        var parser = RegexParser(reader: TextReader(pattern), mostDepth: depth)
        let node = try parser.choice()
        if !parser.reader.isAtEnd { throw parser.reader.failure("a bracket is closed that was never opened") }
        return node
    }

    private init(reader: TextReader, mostDepth: Int) {
        self.reader = reader
        self.mostDepth = mostDepth
    }

    private mutating func choice() throws(GrammarError) -> RegexNode {
        depth += 1
        defer { depth -= 1 }
        guard depth <= mostDepth else { throw reader.failure("groups are nested deeper than \(mostDepth)") }
        var parts = [try sequence()]
        while reader.skip("|") { parts.append(try sequence()) }
        return parts.count == 1 ? parts[0] : .choice(parts)
    }

    private mutating func sequence() throws(GrammarError) -> RegexNode {
        var parts: [RegexNode] = []
        while let scalar = reader.peek(), scalar != "|", scalar != ")" {
            let begin = reader.place
            let atom = try atom()
            parts.append(try quantified(atom, begin))
        }
        return parts.count == 1 ? parts[0] : parts.isEmpty ? .empty : .sequence(parts)
    }

    private mutating func quantified(_ atom: RegexNode, _ begin: Int) throws(GrammarError) -> RegexNode {
        var node = atom
        var isQuantified = false
        while let scalar = reader.peek() {
            let place = reader.place
            let bounds: (least: Int, most: Int?)
            switch scalar {
            case "*": bounds = (0, nil)
            case "+": bounds = (1, nil)
            case "?": bounds = (0, 1)
            case "{":
                _ = reader.next()
                guard let found = try reader.bounds() else {
                    reader.rewind(to: place)
                    return node
                }
                bounds = found
            default: return node
            }
            if scalar != "{" { _ = reader.next() }
            if isQuantified { throw reader.failure("nothing stands in front of a quantifier", at: place) }
            switch atom {
            case .begin, .end: throw reader.failure("an anchor cannot be repeated", at: place)
            default: break
            }
            isQuantified = true
            node = .repeated(atom, from: bounds.least, through: bounds.most)
            // A lazy quantifier finds the same texts, only in another order.
            if reader.skip("?") { continue }
            if reader.peek() == "+" { throw reader.failure("possessive quantifiers cannot be had") }
        }
        return node
    }

    private mutating func atom() throws(GrammarError) -> RegexNode {
        let begin = reader.place
        switch reader.next()! {
        case "(": return try group(begin)
        case "[": return .set(try ScalarClass.read(&reader, begin))
        case ".": return .set(ScalarClass.dot)
        case "^": return .begin
        case "$": return .end
        case "*", "+", "?": throw reader.failure("nothing stands in front of a quantifier", at: begin)
        case "\\":
            if reader.skip("A") { return .begin }
            if reader.skip("z") || reader.skip("Z") { return .end }
            return .set(try ScalarClass.escape(&reader, inClass: false))
        case let scalar: return .set(ScalarSet(scalar.value))
        }
    }

    private mutating func group(_ begin: Int) throws(GrammarError) -> RegexNode {
        if reader.skip("?") {
            if reader.peek() == "=" || reader.peek() == "!" || reader.skip("<=") || reader.skip("<!") {
                throw reader.failure("lookaround cannot be had", at: begin)
            }
            if reader.skip("P<") || reader.skip("<") {
                let name = reader.take { $0.isLetter || ("0"..."9").contains($0) || $0 == "_" }
                guard !name.isEmpty, reader.skip(">") else {
                    throw reader.failure("a group's name is malformed", at: begin)
                }
            } else if !reader.skip(":") {
                throw reader.failure("this kind of group cannot be had", at: begin)
            }
        }
        let inside = try choice()
        guard reader.skip(")") else { throw reader.failure("a group is not closed", at: begin) }
        return inside
    }
}
