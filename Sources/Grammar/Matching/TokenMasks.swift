internal import Synchronization

/// Which tokens may come next, for the states of one grammar and the tokens of one vocabulary.
///
/// Most of the answer depends on the innermost state alone: it is computed once for each and kept. What remains are the tokens that
/// reach beyond the innermost rule; they are followed through the rules around it. Whole answers are kept too, within a bound.
package final class TokenMasks: Sendable {
    /// A bit for each id, the lowest first.
    package typealias Words = [UInt64]

    /// The grammar.
    package let grammar: Grammar
    /// The tokens.
    package let vocabulary: Vocabulary
    private let cache: Mutex<MaskCache>

    /// Prepares for a grammar.
    /// - Parameter limit: Bytes that what is kept may take.
    package init(_ grammar: Grammar, _ vocabulary: Vocabulary, limit: Int = 32 << 20) {
        self.grammar = grammar
        self.vocabulary = vocabulary
        cache = Mutex(MaskCache(limit: limit))
    }

    /// Bytes that it holds, the grammar included.
    package var byteCount: Int { grammar.byteCount + cache.withLock { $0.byteCount } }

    /// The tokens that may come next. Ids that end a text are none of them: they may come where the state is complete.
    package func mask(of state: GrammarState) -> Words {
        if let known = cache.withLock({ $0.whole[state] }) { return known }
        var words = Words(repeating: 0, count: vocabulary.wordCount)
        for stack in state.stacks { add(stack, to: &words) }
        cache.withLock { $0.keep(words, of: state) }
        return words
    }

    /// Whether the tokens behind a state were worked out before.
    package func knows(_ state: GrammarState) -> Bool { cache.withLock { $0.whole[state] != nil } }

    /// Whether a token of more than so many bytes may come next.
    package func allowsToken(longerThan length: Int, in state: GrammarState) -> Bool {
        for (index, word) in mask(of: state).enumerated() where word != 0 {
            for bit in 0..<64 where word >> UInt64(bit) & 1 == 1 {
                if vocabulary.bytes(of: Int32(index * 64 + bit)).count > length { return true }
            }
        }
        return false
    }

    /// Adds the tokens that a stack allows.
    private func add(_ stack: [Int32], to words: inout Words) {
        let part = part(of: stack.last!)
        for index in words.indices { words[index] |= part.words[index] }
        guard stack.count > 1, !(part.exits.isEmpty && part.specialExits.isEmpty) else { return }
        var walk = TreeWalk(grammar)
        walk.enter(below: stack)
        walk.follow(vocabulary.texts, part.exits, &words)
        walk.follow(vocabulary.specials, part.specialExits, &words)
    }

    /// What depends on the innermost state alone.
    private func part(of state: Int32) -> MaskPart {
        if let known = cache.withLock({ $0.parts[state] }) { return known }
        var part = MaskPart(words: Words(repeating: 0, count: vocabulary.wordCount))
        var walk = TreeWalk(grammar)
        walk.enter(state)
        part.exits = walk.all(vocabulary.texts, &part.words)
        if vocabulary.specials.count > 0, walk.enterSpecial(state) {
            part.specialExits = walk.all(vocabulary.specials, &part.words)
        }
        cache.withLock { $0.keep(part, of: state) }
        return part
    }
}

/// The tokens that one state allows by itself.
struct MaskPart: Sendable {
    /// Those that end in its rule, or in rules that begin there.
    var words: TokenMasks.Words
    /// Nodes of the tree of texts at which the rule may be over, so that what lies below depends on the rules around it.
    var exits: [Int32] = []
    /// The same in the tree of special tokens.
    var specialExits: [Int32] = []

    /// Bytes that it holds, about.
    var byteCount: Int { words.count * 8 + (exits.count + specialExits.count) * 4 + 128 }
}

/// What is kept of masks. When it is full, all of it is forgotten and begun anew.
private struct MaskCache {
    let limit: Int
    private(set) var byteCount = 0
    private(set) var parts: [Int32: MaskPart] = [:]
    private(set) var whole: [GrammarState: TokenMasks.Words] = [:]

    init(limit: Int) { self.limit = limit }

    mutating func keep(_ part: MaskPart, of state: Int32) {
        makeRoom(for: part.byteCount)
        if parts.updateValue(part, forKey: state) == nil { byteCount += part.byteCount }
    }

    mutating func keep(_ words: TokenMasks.Words, of state: GrammarState) {
        let size = words.count * 8 + state.stacks.reduce(128) { $0 + $1.count * 4 + 32 }
        makeRoom(for: size)
        if whole.updateValue(words, forKey: state) == nil { byteCount += size }
    }

    private mutating func makeRoom(for size: Int) {
        guard byteCount + size > limit else { return }
        parts = [:]
        whole = [:]
        byteCount = 0
    }
}
