import Testing
import TextWorkers

@Suite struct StopTrimTests {
    @Test func holdsBackTheStartOfAStopString() {
        #expect(StopTrim.shown("hello wor", stops: ["world"]) == "hello ")
        #expect(StopTrim.shown("hello wax", stops: ["world"]) == "hello wax")
        #expect(StopTrim.shown("a\n", stops: ["\n\n", "zz"]) == "a")
        #expect(StopTrim.shown("abc", stops: []) == "abc")
    }

    @Test func cutsBeforeTheFirstOccurrenceOrBehindItWhenItIsKept() {
        #expect(StopTrim.cut("one. two. three", at: ". ", keep: false) == "one")
        #expect(StopTrim.cut("one. two. three", at: ". ", keep: true) == "one. ")
        #expect(StopTrim.cut("nothing here", at: "zzz", keep: false) == "nothing here")
    }

    @Test func matchesBytesNotGraphemeClusters() {
        #expect(StopTrim.cut("ae\u{301}b", at: "e", keep: false) == "a")
        #expect(StopTrim.cut("a\r\nb", at: "\n", keep: false) == "a\r")
    }
}
