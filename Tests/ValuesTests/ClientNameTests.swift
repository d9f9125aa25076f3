import Testing
import Values

/// Names that look the same and are not.
@Suite struct ClientNameTests {
    @Test func namesAreEqualByTheirBytes() {
        let (composed, decomposed) = (ClientName("caf\u{E9}"), ClientName("cafe\u{301}"))
        #expect(composed.text == decomposed.text, "Swift's own strings are equal")
        #expect(composed != decomposed)
        #expect(Set([composed, decomposed, composed]).count == 2)
        #expect([composed: 1][decomposed] == nil)
    }

    @Test func aPrefixMayEndInsideACharacter() {
        #expect(ClientName("job\u{301}-1").hasPrefix("job"))
        #expect(!"job\u{301}-1".hasPrefix("job"), "Swift's own prefixes are whole characters")
        #expect(ClientName("a\r\nb").hasPrefix("a\r"))
        #expect(!ClientName("job").hasPrefix("job-1") && ClientName("job").hasPrefix(""))
    }
}
