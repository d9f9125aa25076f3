package import Grammar
internal import Values

/// How far the text of one request is within its grammar. It is a function of the grammar and the ids so far.
package struct GrammarProgress: Sendable {
    /// Where in a text the grammar begins: at the first token, or where one of some texts comes.
    package struct Beginning: Sendable {
        let behind: [[UInt8]]
        let with: [[UInt8]]

        /// - Parameters:
        ///   - behind: the grammar begins behind these texts.
        ///   - with: the grammar begins with these texts, if it has them there.
        package init(behind: [String] = [], with: [String] = []) {
            self.behind = behind.map { Array($0.utf8) }.filter { !$0.isEmpty }
            self.with = with.map { Array($0.utf8) }.filter { !$0.isEmpty }
        }

        var isAtOnce: Bool { behind.isEmpty && with.isEmpty }
        /// Bytes before a token that may be the first of such a text.
        var reach: Int { (behind + with).map(\.count).max().map { $0 - 1 } ?? 0 }
    }

    private let grammar: ServedGrammar
    private var masks: TokenMasks { grammar.masks }
    private let beginning: Beginning
    /// The last bytes before the grammar begins, as many as may be part of what it begins at.
    private var before: [UInt8] = []
    /// Nil before the grammar has begun.
    private var state: GrammarState?

    /// The progress behind some ids.
    package init(_ grammar: ServedGrammar, begins beginning: Beginning = Beginning(), output: some Sequence<Int32>) {
        self.grammar = grammar
        self.beginning = beginning
        state = beginning.isAtOnce ? grammar.masks.grammar.start : nil
        for id in output { advance(id) }
    }

    /// Notes an id that was chosen. One that ends the text, or is none of the grammar's, changes nothing.
    package mutating func advance(_ id: Int32) {
        guard let state else { return listen(to: id) }
        if let next = masks.grammar.state(state, after: id, of: masks.vocabulary) { self.state = next }
    }

    /// Looks for what the grammar begins at.
    private mutating func listen(to id: Int32) {
        before += masks.vocabulary.bytes(of: id)
        for text in beginning.behind {
            guard let place = before.firstRange(ofBytes: text) else { continue }
            // What the token holds behind it belongs to the text already, if the grammar has it.
            state = masks.grammar.state(masks.grammar.start, after: before[place.upperBound...]) ?? masks.grammar.start
            return
        }
        for text in beginning.with {
            guard let place = before.firstRange(ofBytes: text), let inside = behind(text) else { continue }
            state = masks.grammar.state(inside, after: before[place.upperBound...]) ?? inside
            return
        }
        before = before.suffix(beginning.reach)
    }

    /// The state behind a text that the grammar begins with, as text or as a special token.
    private func behind(_ text: [UInt8]) -> GrammarState? {
        masks.grammar.state(masks.grammar.start, after: text)
            ?? masks.grammar.state(masks.grammar.start, afterSpecial: text)
    }

    /// It binds the text by now.
    package var hasBegun: Bool { state != nil }

    /// The tokens that must come next; none where the model has a choice.
    package var forced: [Int32] { state.flatMap { grammar.forced?.run(from: $0) } ?? [] }

    /// What the next step will ask for, where that takes working out.
    package var foresight: MaskOrder? {
        guard let state, !state.isFinished, !masks.knows(state) else { return nil }
        return MaskOrder(masks: masks, state: state)
    }

    /// The text can do nothing but end.
    package var isFinished: Bool { state?.isFinished ?? false }

    /// The text may end.
    package var mayEnd: Bool { state?.isComplete ?? true }

    /// The tokens that may come next, a bit for each; those that end the text are not among them. Nil: all may.
    package var allowed: TokenMasks.Words? { state.map { masks.mask(of: $0) } }
}

/// Work that is better done before a step needs it: which tokens may come behind a state.
package struct MaskOrder: Sendable, Equatable {
    let masks: TokenMasks
    let state: GrammarState

    /// Works it out; it is kept with the grammar.
    func work() { _ = masks.mask(of: state) }

    /// The same grammar and the same state.
    package static func == (one: MaskOrder, other: MaskOrder) -> Bool {
        one.masks === other.masks && one.state == other.state
    }
}
