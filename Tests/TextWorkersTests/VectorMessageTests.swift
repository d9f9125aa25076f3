import Messages
import Testing
import TextWorkers

/// What is said about vectors on the way.
@Suite struct VectorMessageTests {
    @Test(arguments: [[], [0, 0], [0, 1], [0, 0, 1, 1, 0], [2, 2, 0, 1]] as [[Int32]])
    func typesSurviveAsRuns(types: [Int32]) {
        var request = EmbedIDs()
        request.setTypes(types)
        #expect(request.tokenTypes == (types.contains { $0 != 0 } ? types : []))
        #expect(request.types.count <= types.count)
    }

    @Test func eachFrontGetsItsOwnVectors() {
        let ids = [1, 3, 1].enumerated().map { FrontGeneration.base(UInt64($1)) + UInt64($0) }
        let reply = FrontReply.make {
            $0.vectors = .make {
                $0.requestIds = ids
                $0.attempts = [0, 1, 2]
                $0.counts = [2, 0, 1]
                $0.values = [0.5, 1.5, 2.5]
                ($0.promptTokens, $0.cachedTokens, $0.retractions) = ([4, 5, 6], [0, 1, 2], [0, 0, 7])
            }
        }
        let parts = reply.parts()
        #expect(parts.map(\.generation) == [1, 3])
        let first = parts[0].reply.vectors
        #expect(first.requestIds == [ids[0], ids[2]] && first.attempts == [0, 2] && first.counts == [2, 1])
        #expect(first.values == [0.5, 1.5, 2.5] && first.promptTokens == [4, 6] && first.retractions == [0, 7])
        #expect(parts[1].reply.vectors.values.isEmpty && parts[1].reply.vectors.cachedTokens == [1])
        #expect(parts.allSatisfy { $0.reply.vectors.isConsistent })
    }

    @Test func sparseVectorsKeepTheirTokens() {
        let ids = [1, 3, 1].enumerated().map { FrontGeneration.base(UInt64($1)) + UInt64($0) }
        var batch = VectorBatch.make {
            $0.requestIds = ids
            $0.attempts = [0, 0, 0]
            $0.counts = [2, 0, 1]
            $0.values = [0.5, 1.5, 2.5]
            ($0.sparse, $0.tokenIds, $0.weights) = (true, [7, 9, 4], 3)
            ($0.promptTokens, $0.cachedTokens, $0.retractions) = ([4, 5, 6], [0, 0, 0], [0, 0, 0])
        }
        #expect(batch.isConsistent)
        let parts = FrontReply.make { $0.vectors = batch }.parts().map(\.reply.vectors)
        #expect(parts[0].tokenIds == [7, 9, 4] && parts[0].values == [0.5, 1.5, 2.5] && parts[1].tokenIds.isEmpty)
        #expect(parts.allSatisfy { $0.sparse && $0.weights == 3 && $0.isConsistent })
        batch.tokenIds.removeLast()
        #expect(!batch.isConsistent)
    }

    @Test func textsAreCheckedAgainstTheModel() {
        let model = ModelFacts.make { ($0.contextLength, $0.vocabularySize) = (4, 10) }
        func complaint(_ prompt: [Int32]) -> String? {
            do {
                try PromptChecks.check(EmbedIDs.make { $0.prompt = prompt }, model)
                return nil
            } catch { return error.message }
        }
        #expect(complaint([1, 2, 3, 9]) == nil)
        #expect(
            complaint([1, 2, 3, 4, 5])
                == "The input (5 tokens) is longer than the model's context length (4 tokens).")
        #expect(complaint([10]) == "input_ids contains out-of-vocabulary token id 10; valid range is [0, 10).")
        #expect(complaint([-1]) == "input_ids contains out-of-vocabulary token id -1; valid range is [0, 10).")
        #expect(complaint([]) == "The prompt is empty: it has no tokens.")
    }
}
