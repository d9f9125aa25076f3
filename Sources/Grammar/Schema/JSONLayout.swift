/// What may stand between the parts of JSON.
struct JSONLayout {
    /// Behind an opening bracket and in front of a closing one.
    let gap: Expression
    /// Between two members or elements.
    let comma: Expression
    /// Between a key and its value.
    let colon: Expression

    init(_ whitespace: GrammarOptions.Whitespace, _ budget: inout Budget) throws(GrammarError) {
        let blank = Expression.byte([0x20...0x20, 0x09...0x0A, 0x0D...0x0D])
        switch whitespace {
        case .any: gap = .repeated(blank, from: 0, through: nil)
        case .atMost(let count): gap = .repeated(blank, from: 0, through: max(count, 0))
        case .pattern(let regex): gap = .text(try Automaton.matching(regex, .whole, &budget), .plain)
        case .none:
            gap = .empty
            comma = .literal(", ")
            colon = .literal(": ")
            return
        }
        comma = .sequence([gap, .literal(","), gap])
        colon = .sequence([gap, .literal(":"), gap])
    }
}
