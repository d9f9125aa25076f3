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
        // The byte of each class; -1 where it has several, or a special token would begin.
        var byteOf = [Int](repeating: -2, count: classCount)
        for byte in 0...255 { byteOf[Int(classOf[byte])] = byteOf[Int(classOf[byte])] == -2 ? byte : -1 }
        byteOf[Int(classOf[Int(Network.special)])] = -1
        var walk = GrammarWalk(self)
        var threads = walk.threads(of: state)
        var ends = state.isComplete
        var bytes: [UInt8] = []
        while !ends, bytes.count < limit, let symbolClass = onlyClass(threads), byteOf[symbolClass] >= 0 {
            var after: [GrammarWalk.Thread] = []
            ends = walk.step(threads[...], symbolClass, &after, from: 0)
            threads = after
            bytes.append(UInt8(byteOf[symbolClass]))
        }
        return bytes
    }

    /// The one class of symbols that may come next; nil: there are several.
    private func onlyClass(_ threads: [GrammarWalk.Thread]) -> Int? {
        var found: Int?
        for thread in threads {
            let row = Int(thread.state) * classCount
            for index in 0..<classCount where next[row + index] >= 0 && found != index {
                if found != nil { return nil }
                found = index
            }
        }
        return found
    }
}
