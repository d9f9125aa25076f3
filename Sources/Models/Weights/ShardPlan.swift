/// Which of the tensor-parallel ranks this process is.
package struct ShardRank: Sendable, Hashable {
    /// From 0.
    package let index: Int
    /// Number of ranks.
    package let count: Int

    /// Names a rank.
    package init(index: Int, count: Int) {
        precondition(count > 0 && index >= 0 && index < count, "a rank lies below the number of ranks")
        self.index = index
        self.count = count
    }

    /// The only rank of a model that is not split.
    package static var only: ShardRank { ShardRank(index: 0, count: 1) }
}

/// The part of a dimension that a rank holds.
package struct ShardRange: Sendable, Equatable {
    /// First and past-last index of the part.
    package let range: Range<Int>
    /// Length of the whole dimension.
    package let total: Int

    /// Describes a part.
    package init(range: Range<Int>, total: Int) {
        self.range = range
        self.total = total
    }

    /// Length of the part.
    package var count: Int { range.count }

    /// The same part when every index stands for so many neighbours (a head for its elements).
    package func scaled(by factor: Int) -> ShardRange {
        ShardRange(range: range.lowerBound * factor..<range.upperBound * factor, total: total * factor)
    }
}

/// What each rank holds of every dimension that is split; all sharding rules are here.
///
/// Query heads, key-value heads and intermediate size are split evenly. With fewer key-value heads than ranks,
/// neighbouring ranks hold the same head. The vocabulary is split in slices of a multiple of 32, the last one shorter.
package struct ShardPlan: Sendable, Equatable {
    /// Whose plan it is.
    package let rank: ShardRank
    /// Query heads.
    package let queryHeads: ShardRange
    /// Key-value heads; neighbouring ranks may share one.
    package let keyValueHeads: ShardRange
    /// Elements between the MLP's projections.
    package let intermediate: ShardRange
    /// Rows of embedding table and output head.
    package let vocabulary: ShardRange

    /// Splits the dimensions of `config`; throws when they do not divide.
    package init(_ config: ModelConfig, rank: ShardRank, modelPath: String) throws(CheckpointError) {
        self.rank = rank
        queryHeads = try Self.even(config.headCount, rank, key: "num_attention_heads", modelPath)
        intermediate = try Self.even(config.intermediateSize, rank, key: "intermediate_size", modelPath)
        let keyValue = config.keyValueHeadCount
        if keyValue < rank.count, rank.count % keyValue == 0 {
            let head = rank.index * keyValue / rank.count
            keyValueHeads = ShardRange(range: head..<head + 1, total: keyValue)
        } else {
            keyValueHeads = try Self.even(keyValue, rank, key: "num_key_value_heads", modelPath)
        }
        let slice = rank.count == 1 ? config.vocabularySize : (config.vocabularySize / rank.count + 31) / 32 * 32 + 32
        let start = min(config.vocabularySize, rank.index * slice)
        vocabulary = ShardRange(
            range: start..<min(config.vocabularySize, start + slice), total: config.vocabularySize)
    }

    /// One of `rank.count` equal parts.
    private static func even(
        _ total: Int, _ rank: ShardRank, key: String, _ modelPath: String
    ) throws(CheckpointError) -> ShardRange {
        guard total % rank.count == 0 else {
            throw .badConfig(
                file: modelPath, key: key, reason: "\(total) does not divide into \(rank.count) tensor-parallel ranks")
        }
        let part = total / rank.count
        return ShardRange(range: rank.index * part..<(rank.index + 1) * part, total: total)
    }
}
