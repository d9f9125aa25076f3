import Bench
import Testing

@Suite struct EventStreamTests {
    private static let stream = Array(
        """
        : a comment
        data: {"a":1}\r
        \r
        event: other
        data:first
        data: second

        data: [DONE]


        """.utf8)

    /// Feeds the stream in pieces of one size.
    private static func events(_ bytes: [UInt8], pieces size: Int) -> [String] {
        var parser = EventStreamParser()
        var events: [String] = []
        for start in stride(from: 0, to: bytes.count, by: size) {
            bytes[start..<min(start + size, bytes.count)].withUnsafeBytes { piece in
                parser.append(piece) { events.append(String(decoding: $0, as: UTF8.self)) }
            }
        }
        return events
    }

    @Test(arguments: [1, 2, 3, 7, 1000]) func eventsAreTheSameHoweverTheyArrive(size: Int) {
        #expect(Self.events(Self.stream, pieces: size) == [#"{"a":1}"#, "first\nsecond", "[DONE]"])
    }

    @Test func anEventWithoutItsBlankLineIsNotYetOne() {
        #expect(Self.events(Array("data: 1\n\ndata: 2\n".utf8), pieces: 4) == ["1"])
    }
}

@Suite struct StreamReaderTests {
    private static func take(_ events: [String]) -> (told: [StreamReader.Event], reader: StreamReader) {
        var reader = StreamReader()
        let told = events.map { reader.take(Array($0.utf8)) }
        return (told, reader)
    }

    @Test func nativeStreamsTellTheirTokensInMetaInfo() {
        let (told, reader) = Self.take([
            #"{"text":" a","output_ids":[5],"meta_info":{"prompt_tokens":9,"completion_tokens":1,"cached_tokens":4}}"#,
            #"{"text":" a \"completion_tokens\":77 b","meta_info":{"completion_tokens":3,"cached_tokens":4,"prompt_tokens":9,"#
                + #""finish_reason":{"type":"length","length":3}}}"#,
            "[DONE]",
        ])
        #expect(told == [.tokens(1), .tokens(3), .done])
        #expect(reader.ending == (promptTokens: 9, cachedTokens: 4, failure: nil))
    }

    @Test func chunksWithTextCountWhereUsageComesAtTheEnd() {
        let (told, reader) = Self.take([
            #"{"choices":[{"text":" a","index":0}],"usage":null}"#,
            #"{"choices":[{"text":"\"","index":0}]}"#,
            #"{"choices":[{"text":"","index":0,"finish_reason":"length"}]}"#,
            #"{"choices":[],"usage":{"completion_tokens":3,"prompt_tokens":5,"prompt_tokens_details":{"cached_tokens":2}}}"#,
        ])
        #expect(told == [.tokens(1), .tokens(2), .other, .tokens(3)])
        #expect(reader.ending == (promptTokens: 5, cachedTokens: 2, failure: nil))
    }

    @Test func errorsAndAbortsAreFailures() {
        #expect(Self.take([#"{"error":{"message":"too long","code":400}}"#]).told == [.failed("too long")])
        let (_, reader) = Self.take([
            #"{"text":"","meta_info":{"completion_tokens":1,"finish_reason":{"type":"abort","message":"no memory"}}}"#
        ])
        #expect(reader.ending.failure == "aborted: no memory")
    }
}

@Suite struct RequestRecordTests {
    @Test func tokensThatComeTogetherShareTheirTime() {
        var record = RequestRecord(start: 1)
        record.tokens(1, at: 1.5)
        record.tokens(1, at: 1.6)
        record.tokens(5, at: 2.5)
        record.finish(at: 3)
        #expect(record.firstToken == 1.5)
        #expect(record.gaps == [0.25, 0.25, 0.25, 0.25])
        #expect(record.outputTokens == 5)
        #expect(record.end == 3)
    }
}
