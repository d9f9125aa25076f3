import Grammar
import ModelWorker
import Testing

/// Which grammars are kept.
@Suite struct GrammarShelfTests {
    private func masks(_ source: GrammarSource) throws -> GrammarShelf.Entry {
        .ready(ServedGrammar(TokenMasks(try Grammar(source), Vocabulary([Vocabulary.Token(bytes: [0x61])]))))
    }

    private func isReady(_ entry: GrammarShelf.Entry?) -> Bool {
        if case .ready? = entry { true } else { false }
    }

    @Test func whatWasAskedForLongestAgoMakesRoom() throws {
        let sources = ["a", "aa", "aaa"].map { GrammarSource.regex($0) }
        var entries: [GrammarShelf.Entry] = []
        for source in sources { entries.append(try masks(source)) }
        guard case .ready(let first) = entries[0] else { return }
        var shelf = GrammarShelf(mostBytes: first.masks.byteCount * 5 / 2)
        for (source, entry) in zip(sources, entries).prefix(2) {
            shelf.begin(source)
            shelf.finish(source, entry)
        }
        #expect(isReady(shelf.find(sources[0])))
        shelf.begin(sources[2])
        shelf.finish(sources[2], entries[2])
        #expect(isReady(shelf.find(sources[0])) && shelf.find(sources[1]) == nil && isReady(shelf.find(sources[2])))
    }

    @Test func whatIsDoneIsThereForThoseWhoWaitedHoweverLargeItIs() throws {
        var shelf = GrammarShelf(mostBytes: 1)
        let (slow, quick) = (GrammarSource.regex("a"), GrammarSource.regex("b"))
        shelf.begin(slow)
        shelf.begin(quick)
        shelf.finish(quick, try masks(quick))
        #expect(isReady(shelf.find(quick)) && shelf.isWorking)
        shelf.finish(slow, try masks(slow))
        #expect(isReady(shelf.find(slow)) && shelf.find(quick) == nil && !shelf.isWorking)
    }

    @Test func onlySoManyFailuresAreRemembered() {
        var shelf = GrammarShelf()
        for number in 0..<100 {
            shelf.begin(.regex("\(number)"))
            shelf.finish(.regex("\(number)"), .failed("why"))
        }
        #expect(shelf.find(.regex("0")) == nil && shelf.find(.regex("35")) == nil)
        #expect(shelf.find(.regex("36")) != nil && shelf.find(.regex("99")) != nil)
    }

    @Test func whatIsBeingCompiledIsNotForgotten() throws {
        var shelf = GrammarShelf()
        shelf.begin(.regex("a"))
        shelf.begin(.regex("b"))
        shelf.finish(.regex("b"), try masks(.regex("b")))
        shelf.clear()
        #expect(shelf.find(.regex("b")) == nil && shelf.isWorking)
        if case .underWay? = shelf.find(.regex("a")) { return }
        Issue.record("it was forgotten")
    }
}
