import Testing
import Values

/// Searches in bytes.
@Suite struct ByteSearchTests {
    private static let text = Array("abcabcab".utf8)

    @Test(arguments: [
        ("abc", 0..<3, 3..<6), ("cab", 2..<5, 5..<8), ("abcabcab", 0..<8, 0..<8), ("b", 1..<2, 7..<8),
    ])
    func findsTheFirstAndTheLast(pattern: String, first: Range<Int>, last: Range<Int>) {
        #expect(Self.text.firstRange(ofBytes: Array(pattern.utf8)) == first)
        #expect(Self.text.lastRange(ofBytes: Array(pattern.utf8)) == last)
        #expect(Self.text.holds(bytes: Array(pattern.utf8)))
    }

    @Test(arguments: ["abd", "cabc\0", "abcabcabc", "x"]) func findsNothingThatIsNotThere(pattern: String) {
        #expect(Self.text.firstRange(ofBytes: Array(pattern.utf8)) == nil)
        #expect(Self.text.lastRange(ofBytes: Array(pattern.utf8)) == nil)
        #expect(!Self.text.holds(bytes: Array(pattern.utf8)))
    }

    @Test func searchesOnFromAPlace() {
        #expect(Self.text.firstRange(ofBytes: Array("abc".utf8), from: 1) == 3..<6)
        #expect(Self.text.firstRange(ofBytes: Array("abc".utf8), from: 4) == nil)
        #expect(Self.text[2...].firstRange(ofBytes: Array("ab".utf8)) == 3..<5)
    }

    @Test func anEmptyPatternStandsEverywhere() {
        #expect(Self.text.firstRange(ofBytes: [UInt8]()) == 0..<0)
        #expect(Self.text.lastRange(ofBytes: [UInt8]()) == 8..<8)
        #expect([UInt8]().holds(bytes: [UInt8]()))
        #expect(![UInt8]().holds(bytes: [1]))
    }

    @Test func aMatchMayBeginInsideAGraphemeCluster() {
        #expect(Array("e\u{301}".utf8).holds(bytes: Array("e".utf8)))
        #expect(Array("\r\n".utf8).firstRange(ofBytes: Array("\n".utf8)) == 1..<2)
    }
}
