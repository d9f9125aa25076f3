package import Tensors

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
/// Parts differ by one unit at most, the larger ones first: a unit is a key-value head with its query heads, 32 elements
/// of the intermediate size, or 32 rows of the vocabulary. With fewer key-value heads than ranks, neighbouring ranks hold
/// the same one and share its query heads.
package struct ShardPlan: Sendable, Equatable {
    /// Whose plan it is.
    package let rank: ShardRank
    /// Rows of embedding table and output head.
    package let vocabulary: ShardRange

    /// Splits the dimensions of `config`; throws when a rank would get nothing of one.
    package init(_ config: ModelConfig, rank: ShardRank, modelPath: String) throws(CheckpointError) {
        self.rank = rank
        vocabulary = try Self.even(config.vocabularySize, rank, key: "vocab_size", modelPath)
    }

    /// Floats of a rank's slot in an exchange: rows enough that meeting costs little beside computing them, and a row of
    /// logits, and of what tokens give to layers, at least.
    package static func slotCount(
        _ config: ModelConfig, limits: ForwardLimits, ranks: Int
    ) throws(CheckpointError) -> Int {
        let widest = try ShardPlan(config, rank: ShardRank(index: 0, count: ranks), modelPath: "config.json")
        let layerInput = try config.fields.integer("hidden_size_per_layer_input", in: 0...(1 << 20)) ?? 0
        return max(
            min(limits.rows, 1024) * config.hiddenSize, min(limits.logitRows, 8) * widest.vocabulary.count,
            config.layerCount * layerInput)
    }

    /// The rank that holds a row of the vocabulary.
    package func owner(ofToken token: Int32) -> Int {
        let units = Self.units(vocabulary.total, rank.count)
        return Self.owner(of: Int(token) / units.size, units: units.count, ranks: rank.count)
    }

    /// The elements between an MLP's projections that the rank has of `size`, which the configuration's `key` says.
    ///
    /// Layers of one network may differ in it: those of experts, of a shared expert, and dense ones.
    package func intermediate(
        _ size: Int, key: String, modelPath: String
    ) throws(CheckpointError) -> ShardRange {
        try Self.even(size, rank, key: key, modelPath)
    }

    /// The query and key-value heads that the rank has of a layer's; neighbouring ranks may share a key-value head.
    package func heads(
        _ heads: AttentionHeads, modelPath: String
    ) throws(CheckpointError) -> (query: ShardRange, keyValue: ShardRange) {
        let part = try headRanges(queries: heads.query, keyValues: heads.keyValue, modelPath)
        return (
            ShardRange(range: part.query, total: heads.query), ShardRange(range: part.keyValue, total: heads.keyValue)
        )
    }

    private func headRanges(
        queries: Int, keyValues: Int, _ modelPath: String
    ) throws(CheckpointError) -> (query: Range<Int>, keyValue: Range<Int>) {
        let group = queries / max(1, keyValues)
        if keyValues >= rank.count {
            let part = Self.part(rank.index, of: keyValues, ranks: rank.count)
            return (part.lowerBound * group..<part.upperBound * group, part)
        }
        let head = rank.index * keyValues / rank.count
        let sharers = (0..<rank.count).filter { $0 * keyValues / rank.count == head }
        guard sharers.count <= group else {
            throw .badConfig(
                file: modelPath, key: "num_attention_heads",
                reason: "\(queries) heads, \(group) for each key-value head, are too few for \(rank.count) "
                    + "tensor-parallel ranks")
        }
        let part = Self.part(rank.index - sharers[0], of: group, ranks: sharers.count)
        return (head * group + part.lowerBound..<head * group + part.upperBound, head..<head + 1)
    }

    /// A rank's part of a dimension that is cut at multiples of 32, as far as it has so many.
    private static func even(
        _ total: Int, _ rank: ShardRank, key: String, _ modelPath: String
    ) throws(CheckpointError) -> ShardRange {
        let units = units(total, rank.count)
        guard units.count >= rank.count else {
            throw .badConfig(
                file: modelPath, key: key, reason: "\(total) is too small for \(rank.count) tensor-parallel ranks")
        }
        let part = part(rank.index, of: units.count, ranks: rank.count)
        let range = part.lowerBound * units.size..<min(total, part.upperBound * units.size)
        return ShardRange(range: range, total: total)
    }

    /// In how many pieces of which size a dimension is dealt out.
    private static func units(_ total: Int, _ ranks: Int) -> (count: Int, size: Int) {
        let count = (total + 31) / 32
        return count >= ranks ? (count, 32) : (total, 1)
    }

    /// The units that a rank holds of `count`; the first ranks have one more when they do not divide.
    private static func part(_ rank: Int, of count: Int, ranks: Int) -> Range<Int> {
        let (each, more) = (count / ranks, count % ranks)
        let start = rank * each + min(rank, more)
        return start..<start + each + (rank < more ? 1 : 0)
    }

    /// The rank whose part holds a unit: the inverse of `part`.
    private static func owner(of unit: Int, units: Int, ranks: Int) -> Int {
        let (each, more) = (units / ranks, units % ranks)
        let large = more * (each + 1)
        return unit < large ? unit / (each + 1) : more + (unit - large) / each
    }
}
