/// How far a text is within a grammar. It depends on the grammar and the text alone, however the text was cut into tokens.
package struct GrammarState: Hashable, Sendable {
    /// Where the text may be: states of the rules that are open, the innermost last. In order, without doubles.
    let stacks: [[Int32]]
    /// The text may end here.
    package let isComplete: Bool
    /// The text can do nothing but end here.
    package var isFinished: Bool { stacks.isEmpty }
}

extension Grammar {
    /// Before the first byte.
    package var start: GrammarState {
        var walk = GrammarWalk(self)
        var threads: [GrammarWalk.Thread] = []
        let ends = walk.reach(first, GrammarWalk.base, &threads, from: 0)
        return walk.state(threads[...], isComplete: ends)
    }

    /// After some more bytes; nil where no text of the grammar goes on like that.
    package func state(_ state: GrammarState, after bytes: some Sequence<UInt8>) -> GrammarState? {
        follow(state, bytes.lazy.map { UInt32($0) })
    }

    /// After a special token that is written as these bytes.
    package func state(_ state: GrammarState, afterSpecial bytes: some Sequence<UInt8>) -> GrammarState? {
        follow(state, [Network.special] + bytes.map { UInt32($0) })
    }

    private func follow(_ state: GrammarState, _ symbols: some Sequence<UInt32>) -> GrammarState? {
        var walk = GrammarWalk(self)
        var threads = walk.threads(of: state)
        var ends = state.isComplete
        for symbol in symbols {
            var after: [GrammarWalk.Thread] = []
            ends = walk.step(threads[...], Int(classOf[Int(symbol)]), &after, from: 0)
            threads = after
            if threads.isEmpty && !ends { return nil }
        }
        return walk.state(threads[...], isComplete: ends)
    }

    /// Whether a text is one of the grammar's.
    package func takes(_ text: String) -> Bool { state(start, after: text.utf8)?.isComplete ?? false }

    /// The longest text that must come next: the only way to go on, which nowhere on it may end.
    package func forced(from state: GrammarState, limit: Int = 4096) -> [UInt8] {
        var walk = GrammarWalk(self)
        var threads = walk.threads(of: state)
        var ends = state.isComplete
        var bytes: [UInt8] = []
        while !ends, bytes.count < limit, let byte = onlyByte(threads) {
            var after: [GrammarWalk.Thread] = []
            ends = walk.step(threads[...], Int(classOf[Int(byte)]), &after, from: 0)
            threads = after
            bytes.append(byte)
        }
        return bytes
    }

    /// The one byte that may come next; nil: several may, or a special token.
    private func onlyByte(_ threads: [GrammarWalk.Thread]) -> UInt8? {
        var found: UInt8?
        let special = Int(classOf[Int(Network.special)])
        if threads.contains(where: { next[Int($0.state) * classCount + special] >= 0 }) { return nil }
        for byte in 0...255 {
            let index = Int(classOf[byte])
            guard threads.contains(where: { next[Int($0.state) * classCount + index] >= 0 }) else { continue }
            if found != nil { return nil }
            found = UInt8(byte)
        }
        return found
    }
}
