/// Reads grammars in the form that llama.cpp and xgrammar share: `name ::= "text" [a-z]+ (other | name){2,3} | …`, with `#` before
/// comments. A rule ends where another begins.
struct EBNFParser {
    private var reader: TextReader
    private let mostDepth: Int
    private var depth = 0
    private var numbers: [String: Int] = [:]
    private var names: [(name: String, place: Int)] = []
    private var rules: [Int: Expression] = [:]

    /// Reads a whole grammar.
    static func parse(
        _ text: String, root: String = "root", depth: Int
    ) throws(GrammarError) -> (rules: [Expression], root: Int) {
        var parser = EBNFParser(reader: TextReader(text), mostDepth: depth)
        try parser.readAll()
        guard let number = parser.numbers[root], parser.rules[number] != nil else {
            throw GrammarError("there is no rule named \(root)")
        }
        var rules: [Expression] = []
        for (index, entry) in parser.names.enumerated() {
            guard let rule = parser.rules[index] else {
                throw parser.reader.failure("there is no rule named \(entry.name)", at: entry.place)
            }
            rules.append(rule)
        }
        return (rules, number)
    }

    private init(reader: TextReader, mostDepth: Int) {
        self.reader = reader
        self.mostDepth = mostDepth
    }

    private mutating func readAll() throws(GrammarError) {
        skipSpace()
        while !reader.isAtEnd {
            let place = reader.place
            let name = readName()
            guard !name.isEmpty else { throw reader.failure("a rule's name is missing") }
            skipSpace()
            guard reader.skip("::=") else { throw reader.failure("::= is missing behind the name \(name)") }
            let number = number(of: name, at: place)
            guard rules[number] == nil else { throw reader.failure("the rule \(name) stands there twice", at: place) }
            rules[number] = try choice()
        }
    }

    private mutating func number(of name: String, at place: Int) -> Int {
        if let number = numbers[name] { return number }
        numbers[name] = names.count
        names.append((name, place))
        return names.count - 1
    }

    private mutating func readName() -> String {
        reader.take { $0.isLetter || ("0"..."9").contains($0) || $0 == "_" || $0 == "-" || $0 == "." }
    }

    private mutating func skipSpace() {
        while let scalar = reader.peek() {
            if scalar == "#" {
                _ = reader.take { $0 != "\n" }
            } else if scalar == " " || scalar == "\t" || scalar == "\n" || scalar == "\r" {
                _ = reader.next()
            } else {
                return
            }
        }
    }

    /// The next thing is the name of another rule, which begins there.
    private mutating func isAtRule() -> Bool {
        let place = reader.place
        defer { reader.rewind(to: place) }
        guard !readName().isEmpty else { return false }
        skipSpace()
        return reader.skip("::=")
    }

    private mutating func choice() throws(GrammarError) -> Expression {
        depth += 1
        defer { depth -= 1 }
        guard depth <= mostDepth else { throw reader.failure("groups are nested deeper than \(mostDepth)") }
        var parts = [try sequence()]
        while reader.skip("|") { parts.append(try sequence()) }
        return parts.count == 1 ? parts[0] : .choice(parts)
    }

    private mutating func sequence() throws(GrammarError) -> Expression {
        var parts: [Expression] = []
        skipSpace()
        while let scalar = reader.peek(), scalar != "|", scalar != ")" {
            let startsName = scalar.isLetter || ("0"..."9").contains(scalar) || scalar == "_"
            if startsName, depth == 1, isAtRule() { break }
            let element = try element()
            parts.append(try quantified(element))
            skipSpace()
        }
        return parts.count == 1 ? parts[0] : parts.isEmpty ? .empty : .sequence(parts)
    }

    private mutating func quantified(_ element: Expression) throws(GrammarError) -> Expression {
        var element = element
        while true {
            skipSpace()
            let place = reader.place
            if reader.skip("*") {
                element = .repeated(element, from: 0, through: nil)
            } else if reader.skip("+") {
                element = .repeated(element, from: 1, through: nil)
            } else if reader.skip("?") {
                element = .optional(element)
            } else if reader.skip("{") {
                guard let bounds = try reader.bounds() else {
                    throw reader.failure("a quantifier is malformed", at: place)
                }
                element = .repeated(element, from: bounds.least, through: bounds.most)
            } else {
                return element
            }
        }
    }

    private mutating func element() throws(GrammarError) -> Expression {
        let place = reader.place
        switch reader.peek()! {
        case "\"":
            _ = reader.next()
            return try literal(place)
        case "[":
            _ = reader.next()
            return .scalar(try scalarClass(place), .plain)
        case ".":
            _ = reader.next()
            return .scalar(.all, .plain)
        case "(":
            _ = reader.next()
            if reader.peek() == "=" { throw reader.failure("lookahead cannot be had", at: place) }
            let inside = try choice()
            guard reader.skip(")") else { throw reader.failure("a bracket is not closed", at: place) }
            return inside
        case let scalar:
            let name = readName()
            guard !name.isEmpty else { throw reader.failure("\(scalar) cannot stand here", at: place) }
            if reader.peek() == "(" { throw reader.failure("\(name)(…) cannot be had", at: place) }
            return .rule(number(of: name, at: place))
        }
    }

    private mutating func literal(_ place: Int) throws(GrammarError) -> Expression {
        var text = String.UnicodeScalarView()
        while true {
            guard let scalar = reader.next(), scalar != "\n" else {
                throw reader.failure("a text is not closed", at: place)
            }
            if scalar == "\"" { return .literal(String(text)) }
            text.append(scalar == "\\" ? try escape() : scalar)
        }
    }

    private mutating func escape() throws(GrammarError) -> Unicode.Scalar {
        let place = reader.place
        guard let scalar = reader.next() else { throw reader.failure("nothing is escaped", at: place) }
        switch scalar {
        case "n": return "\n"
        case "r": return "\r"
        case "t": return "\t"
        case "f": return "\u{0C}"
        case "b": return "\u{08}"
        case "v": return "\u{0B}"
        case "a": return "\u{07}"
        case "e": return "\u{1B}"
        case "0": return "\0"
        case "x", "u", "U":
            let value = try ScalarClass.code(&reader, scalar, place)
            guard let scalar = Unicode.Scalar(value) else {
                throw reader.failure("\(value) is no character", at: place)
            }
            return scalar
        default:
            if scalar.isLetter || ("0"..."9").contains(scalar) {
                throw reader.failure("the escape \\\(scalar) is unknown", at: place)
            }
            return scalar
        }
    }

    private mutating func scalarClass(_ place: Int) throws(GrammarError) -> ScalarSet {
        let isInverted = reader.skip("^")
        var ranges: [ClosedRange<UInt32>] = []
        while !reader.skip("]") {
            let low = try classMember(place)
            guard reader.peek() == "-", let behind = reader.peek(1), behind != "]" else {
                ranges.append(low.value...low.value)
                continue
            }
            _ = reader.next()
            let high = try classMember(place)
            guard low.value <= high.value else { throw reader.failure("a range of a class is none", at: place) }
            ranges.append(low.value...high.value)
        }
        let set = ScalarSet(ranges)
        return isInverted ? set.inverted : set
    }

    private mutating func classMember(_ place: Int) throws(GrammarError) -> Unicode.Scalar {
        guard let scalar = reader.next(), scalar != "\n" else {
            throw reader.failure("a class is not closed", at: place)
        }
        return scalar == "\\" ? try escape() : scalar
    }
}
