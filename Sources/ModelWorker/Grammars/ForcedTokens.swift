package import Grammar
internal import Synchronization
package import Tokenizers

/// The tokens that must come next where a grammar leaves one text only, so that no pass of the model is spent on each of them.
///
/// They depend on the state of the grammar alone: the first is the first token of the forced text as the model's tokenizer cuts it,
/// the next the first of what is left then, and so on. So they are the same wherever an answer is taken up again. Where the text is
/// free again the model decides how the last bytes are cut: a token that reaches beyond them may be what it is used to.
package final class ForcedTokens: Sendable {
    private let masks: TokenMasks
    private let tokenizer: Tokenizer
    private let cache = Mutex<[GrammarState: [Int32]]>([:])

    /// Most tokens of a run; more follow in the next.
    private static let mostTokens = 64
    /// Bytes of the forced text that are looked at.
    private static let lookahead = 512
    /// Bytes that a token is cut from. What comes behind them does not count, so that a token does not depend on where a run began.
    private static let window = 64
    /// Bytes at the end of a forced text that a token may reach beyond.
    private static let longestEnd = 32
    /// Runs that are kept; then all are forgotten and the next begin anew.
    private static let mostRuns = 4096
    /// A character that no token holds beside others: what stands behind it is cut as inside of a text.
    private static let anchor = "\u{1}"

    /// The tokens of a grammar and a vocabulary, which is the tokenizer's.
    package init(_ masks: TokenMasks, _ tokenizer: Tokenizer) {
        self.masks = masks
        self.tokenizer = tokenizer
    }

    /// Bytes that it holds, about.
    var byteCount: Int { cache.withLock { $0.count } * 512 }

    /// The tokens that must come behind a state; none where the model has a choice.
    package func run(from state: GrammarState) -> [Int32] {
        if let known = cache.withLock({ $0[state] }) { return known }
        let run = made(from: state)
        cache.withLock {
            if $0.count >= Self.mostRuns { $0 = [:] }
            $0[state] = run
        }
        return run
    }

    private func made(from state: GrammarState) -> [Int32] {
        let bytes = masks.grammar.forced(from: state, limit: Self.lookahead)[...]
        let isWhole = bytes.count < Self.lookahead
        let end = bytes.count - (isWhole ? openEnd(of: bytes, from: state) : Self.window)
        var run: [Int32] = []
        var place = 0
        while place < end, run.count < Self.mostTokens, let id = first(of: bytes[place...].prefix(Self.window)) {
            place += masks.vocabulary.bytes(of: id).count
            if place <= end { run.append(id) }
        }
        return run
    }

    /// How many bytes at the end of a forced text may be parts of tokens that reach beyond it.
    private func openEnd(of bytes: ArraySlice<UInt8>, from state: GrammarState) -> Int {
        let ends = (1...max(1, min(Self.longestEnd, bytes.count))).reversed()
        for count in ends where masks.vocabulary.goesOn(beyond: bytes.suffix(count)) {
            guard let there = masks.grammar.state(state, after: bytes.dropLast(count)) else { continue }
            if masks.allowsToken(longerThan: count, in: there) { return count }
        }
        return 0
    }

    /// The first token of a text.
    private func first(of bytes: ArraySlice<UInt8>) -> Int32? {
        // A token may have ended within a character, and the window may.
        let inside = bytes.prefix { $0 & 0xC0 == 0x80 }
        if !inside.isEmpty { return masks.vocabulary.longest(beginning: inside) }
        let whole = Self.wholeCharacters(bytes)
        guard !whole.isEmpty else { return nil }
        let text = String(decoding: whole, as: UTF8.self)
        if let id = first(of: tokenizer.encode(text, addSpecialTokens: false)[...], spelling: whole) { return id }
        // Some begin a text with a space.
        let lead = tokenizer.encode(Self.anchor, addSpecialTokens: false)
        let ids = tokenizer.encode(Self.anchor + text, addSpecialTokens: false)
        if ids.starts(with: lead), let id = first(of: ids.dropFirst(lead.count), spelling: whole) { return id }
        return masks.vocabulary.longest(beginning: whole)
    }

    /// The first of some tokens; nil where they are not all text, or spell something else.
    private func first(of ids: ArraySlice<Int32>, spelling bytes: ArraySlice<UInt8>) -> Int32? {
        guard !ids.contains(where: { masks.vocabulary.isSpecial($0) }) else { return nil }
        return ids.flatMap { masks.vocabulary.bytes(of: $0) }.elementsEqual(bytes) ? ids.first : nil
    }

    /// Without a character at the end that is cut in two.
    private static func wholeCharacters(_ bytes: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        guard let last = bytes.lastIndex(where: { $0 & 0xC0 != 0x80 }) else { return [] }
        let length = bytes[last] < 0x80 ? 1 : bytes[last] < 0xE0 ? 2 : bytes[last] < 0xF0 ? 3 : 4
        return bytes.endIndex - last < length ? bytes[..<last] : bytes
    }
}

/// A grammar as requests use it.
package struct ServedGrammar: Sendable {
    /// Which tokens may come.
    package let masks: TokenMasks
    /// Which must; nil: the model is asked for each.
    package let forced: ForcedTokens?

    /// Bytes that it holds.
    var byteCount: Int { masks.byteCount + (forced?.byteCount ?? 0) }

    /// - Parameter forced: nil where the model is to be asked for each token.
    package init(_ masks: TokenMasks, forced: ForcedTokens? = nil) {
        self.masks = masks
        self.forced = forced
    }
}
