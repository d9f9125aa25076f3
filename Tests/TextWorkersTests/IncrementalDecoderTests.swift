import Testing
import TextWorkers

/// Each id is one byte, as in a byte-level vocabulary without merges.
private func decodeBytes(_ ids: ArraySlice<Int32>) -> String {
    String(decoding: ids.map { UInt8(truncatingIfNeeded: $0) }, as: UTF8.self)
}

private func ids(_ text: String) -> [Int32] { text.utf8.map { Int32($0) } }

@Suite struct IncrementalDecoderTests {
    @Test(arguments: [
        "plain English words", "人工智能是", "e\u{301}le\u{300}ve", "👩‍👩‍👧‍👦 family", "مرحبا بالعالم", "a\u{0}b\n\n  c", "",
    ])
    func endsWithTheTextOfAllIds(text: String) {
        var decoder = IncrementalDecoder()
        for id in ids(text) { decoder.append(id, decode: decodeBytes) }
        decoder.finish(decode: decodeBytes)
        #expect(decoder.text == text)
    }

    @Test func neverTakesBackWhatItShowed() {
        var decoder = IncrementalDecoder()
        var shown = ""
        for id in ids("ab 人工 c\u{300} 👨‍👩‍👧 x") {
            decoder.append(id, decode: decodeBytes)
            let text = decoder.text
            #expect(text.utf8.starts(with: shown.utf8))
            shown = text
        }
    }

    @Test(arguments: ["plain English words", "人工智能是", "e\u{301}le\u{300}ve", "👩‍👩‍👧‍👦 family", "a\u{0}b\n\n  c"])
    func whatFollowsAPromptIsTheRestOfTheText(text: String) {
        let all = ids(text)
        for cut in 1..<all.count {
            // The last characters of the prompt, from the start of one.
            let start = all[..<cut].lastIndex { $0 & 0xC0 != 0x80 } ?? 0
            var decoder = IncrementalDecoder(context: Array(all[start..<cut]))
            var shown = ""
            for id in all[cut...] {
                decoder.append(id, decode: decodeBytes)
                #expect(decoder.text.utf8.starts(with: shown.utf8))
                shown = decoder.text
            }
            decoder.finish(decode: decodeBytes)
            let next = all[cut...].firstIndex { $0 & 0xC0 != 0x80 } ?? all.count
            #expect(Array(decoder.text.utf8) == Array(text.utf8.dropFirst(next)), "cut at byte \(cut)")
            #expect(decoder.count == all.count - cut)
        }
    }

    @Test func holdsBackAnUnfinishedCharacter() {
        var decoder = IncrementalDecoder()
        let bytes = ids("é")
        decoder.append(bytes[0], decode: decodeBytes)
        #expect(decoder.text == "")
        decoder.append(bytes[1], decode: decodeBytes)
        #expect(decoder.text == "é")
    }

    @Test func bytesThatNeverBecomeACharacterDoNotKeepTheWindowOpen() {
        var decoder = IncrementalDecoder()
        var longest = 0
        let counted: IncrementalDecoder.Decode = {
            longest = max(longest, $0.count)
            return decodeBytes($0)
        }
        for _ in 0..<500 { decoder.append(0xFF, decode: counted) }
        for id in ids("é") { decoder.append(id, decode: counted) }
        decoder.finish(decode: counted)
        #expect(decoder.text == String(repeating: "\u{FFFD}", count: 500) + "é")
        #expect(longest < 40)
    }
}
