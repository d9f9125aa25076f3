import Messages
import Testing

/// Replies that hold news for several fronts.
@Suite struct FrontReplyTests {
    private static func id(_ front: UInt64, _ number: UInt64) -> UInt64 { FrontGeneration.base(front) + number }

    private static let batch = TextBatch.make {
        $0.requestIds = [id(1, 1), id(3, 1), id(1, 2)]
        $0.attempts = [0, 1, 2]
        $0.offsets = [10, 20, 30]
        $0.counts = [2, 0, 1]
        $0.ids = [5, 6, 7]
        $0.textOffsets = [1, 2, 3]
        $0.texts = ["a", "b", "c"]
        $0.finish = [.init(), .make { $0.length = 4 }, .init()]
        $0.promptTokens = [7, 8, 9]
        $0.cachedTokens = [0, 1, 2]
        $0.retractions = [0, 0, 1]
        $0.logprobs = [.make { $0.row = 1 }, .make { $0.row = 2 }]
    }

    @Test func eachFrontGetsItsOwnRows() {
        let parts = FrontReply.make { $0.text = Self.batch }.parts()
        #expect(parts.map(\.generation) == [1, 3])
        let (first, second) = (parts[0].reply.text, parts[1].reply.text)
        #expect(first.requestIds == [Self.id(1, 1), Self.id(1, 2)] && second.requestIds == [Self.id(3, 1)])
        #expect(first.ids == [5, 6, 7] && first.counts == [2, 1] && second.ids == [] && second.counts == [0])
        #expect(first.texts == ["a", "c"] && second.texts == ["b"])
        #expect(first.offsets == [10, 30] && first.textOffsets == [1, 3] && first.attempts == [0, 2])
        #expect(first.promptTokens == [7, 9] && first.cachedTokens == [0, 2] && first.retractions == [0, 1])
        #expect(second.finish.map(\.length) == [4])
        #expect(first.logprobs.map(\.row) == [1] && second.logprobs.map(\.row) == [0])
    }

    @Test func whatIsForOneFrontStaysWhole() {
        var batch = Self.batch
        batch.requestIds = [Self.id(2, 1), Self.id(2, 5), Self.id(2, 3)]
        let reply = FrontReply.make { $0.text = batch }
        #expect(reply.parts().map(\.reply) == [reply] && reply.parts().map(\.generation) == [2])
    }

    @Test func requestsToSubmitAgainGoToTheFrontsThatHaveThem() {
        let keys = [Self.id(4, 1), Self.id(2, 9), Self.id(4, 2)].map { id in RequestKey.make { $0.id = id } }
        let parts = FrontReply.make { $0.resubmit = .make { $0.keys = keys } }.parts()
        #expect(parts.map(\.generation) == [2, 4])
        #expect(parts.map(\.reply.resubmit.keys) == [[keys[1]], [keys[0], keys[2]]])
    }

    @Test func answersGoToTheFrontThatAsked() {
        let call = Self.id(7, 3)
        let replies: [FrontReply] = [
            .make { $0.control = .make { $0.call = call } }, .make { $0.encoded = .make { $0.call = call } },
            .make { $0.decoded = .make { $0.call = call } },
            .make { $0.failure = .make { $0.key = .make { $0.id = call } } },
            .make { $0.promptIds = .make { $0.key = .make { $0.id = call } } },
        ]
        for reply in replies { #expect(reply.parts().map(\.generation) == [7]) }
        #expect(FrontReply().parts().isEmpty)
    }
}
