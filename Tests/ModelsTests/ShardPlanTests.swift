import Models
import Tensors
import Testing

/// How dimensions are split over tensor-parallel ranks.
@Suite struct ShardPlanTests {
    /// A rank's plan and its part of a layer's heads.
    private struct Part {
        let plan: ShardPlan
        let queryHeads: ShardRange
        let keyValueHeads: ShardRange
        let intermediate: ShardRange
        var vocabulary: ShardRange { plan.vocabulary }
    }

    private func plans(heads: Int, keyValue: Int, intermediate: Int, vocabulary: Int, ranks: Int) throws -> [Part] {
        var config = try ModelConfig.load(modelPath: Fixture(name: "llama-tied").path)
        config.intermediateSize = intermediate
        config.vocabularySize = vocabulary
        return try (0..<ranks).map {
            let plan = try ShardPlan(config, rank: ShardRank(index: $0, count: ranks), modelPath: "model")
            let part = try plan.heads(
                AttentionHeads(query: heads, keyValue: keyValue, dimension: 16), modelPath: "model")
            let elements = try plan.intermediate(intermediate, key: "intermediate_size", modelPath: "model")
            return Part(
                plan: plan, queryHeads: part.query, keyValueHeads: part.keyValue, intermediate: elements)
        }
    }

    @Test func oneRankHoldsEverything() throws {
        let plan = try plans(heads: 6, keyValue: 2, intermediate: 104, vocabulary: 331, ranks: 1)[0]
        #expect(plan.queryHeads.range == 0..<6 && plan.keyValueHeads.range == 0..<2)
        #expect(plan.intermediate.range == 0..<104 && plan.vocabulary.range == 0..<331)
    }

    @Test(arguments: [1, 2, 3, 4, 5])
    func partsCoverEveryDimensionOnce(_ ranks: Int) throws {
        let all = try plans(heads: 15, keyValue: 5, intermediate: 200, vocabulary: 331, ranks: ranks)
        for part in [\Part.queryHeads, \.keyValueHeads, \.intermediate, \.vocabulary] {
            var next = 0
            for plan in all {
                #expect(plan[keyPath: part].range.lowerBound == next)
                #expect(!plan[keyPath: part].range.isEmpty)
                next = plan[keyPath: part].range.upperBound
            }
            #expect(all.allSatisfy { $0[keyPath: part].total == next })
            #expect(all.allSatisfy { $0[keyPath: part].count <= all[0][keyPath: part].count }, "none exceeds rank 0's")
        }
    }

    @Test func queryHeadsKeepTheirKeyValueHead() throws {
        for (heads, keyValue) in [(8, 4), (8, 2), (8, 1), (9, 3), (14, 2), (5, 1), (12, 12)] {
            for ranks in 1...5 {
                let all = try plans(
                    heads: heads, keyValue: keyValue, intermediate: 200, vocabulary: 331, ranks: ranks)
                #expect(all.flatMap { Array($0.queryHeads.range) } == Array(0..<heads), "every head once, in order")
                for plan in all {
                    let group = heads / keyValue
                    let perHead = plan.queryHeads.count / plan.keyValueHeads.count
                    for (index, query) in plan.queryHeads.range.enumerated() {
                        #expect(plan.keyValueHeads.range.lowerBound + index / perHead == query / group)
                    }
                }
            }
        }
    }

    @Test func theOwnerOfATokenHoldsItsRow() throws {
        for ranks in 1...7 {
            let all = try plans(heads: 8, keyValue: 1, intermediate: 400, vocabulary: 331, ranks: ranks)
            for token in 0..<331 {
                #expect(all[all[0].plan.owner(ofToken: Int32(token))].vocabulary.range.contains(token))
            }
        }
    }

    @Test func whatIsTooSmallIsNamed() throws {
        func message(_ heads: Int, _ keyValue: Int, _ intermediate: Int, _ vocabulary: Int) -> String? {
            do {
                _ = try plans(
                    heads: heads, keyValue: keyValue, intermediate: intermediate, vocabulary: vocabulary, ranks: 4)
                return nil
            } catch { return "\(error)" }
        }
        #expect(message(3, 1, 104, 331)?.contains("num_attention_heads") == true)
        #expect(message(8, 4, 3, 331)?.contains("intermediate_size") == true)
        #expect(message(8, 4, 104, 3)?.contains("vocab_size") == true)
        #expect(message(8, 4, 104, 331) == nil)
    }

    @Test func aPartOfHeadsScalesToItsElements() {
        let part = ShardRange(range: 2..<4, total: 8).scaled(by: 16)
        #expect(part == ShardRange(range: 32..<64, total: 128))
    }
}
