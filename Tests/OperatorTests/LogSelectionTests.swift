import Operator
import Testing

@Suite struct LogSelectionTests {
    private func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

    @Test func showsTheLastWantedLinesOfBothFiles() {
        var selection = LogSelection()
        selection.count = 3
        let (old, new) = (bytes("a1\nb2\na3\n"), bytes("b4\na5\na6\n"))
        #expect(selection.last(of: old, new) == ["b4", "a5", "a6"])
        selection.text = "a"
        #expect(selection.last(of: old, new) == ["a3", "a5", "a6"])
        selection.count = 0
        #expect(selection.last(of: old, new) == [])
    }

    @Test func aTextIsFoundAnywhereInALineAndAsItIsWritten() {
        var selection = LogSelection()
        selection.text = "TP1"
        #expect(selection.wants("[2026-01-01 00:00:00 TP1] weights"))
        #expect(!selection.wants("[2026-01-01 00:00:00 tp1] weights"))
    }

    @Test func bytesThatAreNoTextAreShownAsSuch() {
        #expect(LogSelection().last(of: [], [0x61, 0xff, 0x62, 10]) == ["a\u{fffd}b"])
    }
}

@Suite struct LogFollowerTests {
    @Test func goesOnWithWhatIsAppended() {
        var follower = LogFollower(from: 4)
        #expect(follower.news(Array("one\n".utf8), old: { nil }) == [])
        #expect(follower.news(Array("one\ntwo\nthr".utf8), old: { nil }) == ["two"])
        #expect(follower.news(Array("one\ntwo\nthree\n".utf8), old: { nil }) == ["three"])
    }

    @Test func losesNothingWhenANewFileBegins() {
        var follower = LogFollower(from: 0)
        #expect(follower.news(Array("one\ntwo\n".utf8), old: { nil }) == ["one", "two"])
        let old = Array("one\ntwo\nthree\nfour\n".utf8)
        #expect(follower.news(Array("five\n".utf8), old: { old }) == ["three", "four", "five"])
        #expect(follower.news(Array("five\nsix\n".utf8), old: { old }) == ["six"])
    }

    @Test func aNewFileWithoutTheOldOneIsReadFromItsStart() {
        var follower = LogFollower(from: 100)
        #expect(follower.news(Array("one\n".utf8), old: { nil }) == ["one"])
    }
}
