import Tensors

/// How a layer attends: everything about its scores that is no tensor. Layers of one network may differ in it.
///
/// Whatever else a layer may do becomes a field here together with the kernel that computes it; until then an architecture
/// refuses the keys that ask for it.
struct AttentionShape {
    /// Heads over all ranks, and the numbers of one.
    var heads: AttentionHeads
    /// Factor on the products of queries and keys.
    var scale: Float
    /// How positions turn queries and keys; nil where they do not.
    var rotary: RopeConfig?
    /// Which positions a row sees, and a cap on its scores.
    var sight = AttentionSight.causal
    /// Whether each query head has a score that takes part in its softmax and has no value (`sinks`).
    var hasSinks = false
    /// Whether each head of values is divided by its root mean square.
    var normalizesValues = false

    /// The usual shape: what the configuration says of heads and rotation, scores over the root of the head's size.
    ///
    /// Throws, with the key's name, for heads that no kernel computes.
    init(_ root: ModelScope) throws(CheckpointError) {
        let config = root.config
        try self.init(
            root, queries: config.headCount, keyValues: config.keyValueHeadCount, size: config.headDimension,
            rope: config.rope)
    }

    /// The same with heads and a rotation of a layer's own.
    init(
        _ root: ModelScope, queries: Int, keyValues: Int, size: Int, rope: RopeConfig
    ) throws(CheckpointError) {
        func bad(_ key: String, _ reason: String) -> CheckpointError {
            .badConfig(file: root.plan.modelPath, key: key, reason: reason)
        }
        guard size % 4 == 0, (4...512).contains(size) else {
            throw bad("head_dim", "\(size) is not supported; it must be a multiple of 4 up to 512")
        }
        guard keyValues > 0, queries % keyValues == 0, queries / keyValues <= 64 else {
            throw bad(
                "num_key_value_heads",
                "\(queries) query heads do not share \(keyValues) key-value heads evenly, 64 each at most")
        }
        guard rope.rotaryDimension % 2 == 0,
            (2...size).contains(rope.rotaryDimension)
        else {
            throw bad(
                "partial_rotary_factor", "\(rope.rotaryDimension) of \(size) elements cannot be rotated in pairs"
            )
        }
        heads = AttentionHeads(query: queries, keyValue: keyValues, dimension: size)
        scale = 1 / Float(size).squareRoot()
        rotary = rope
    }

    /// Positions that a row sees, itself among them; nil where it sees all before it, or what comes behind it too.
    var window: Int? { sight.after == 0 ? sight.before.map { $0 + 1 } : nil }

    /// The same with a window: a row sees itself and those before it, `window` in all.
    func sliding(_ window: Int) -> AttentionShape {
        var other = self
        other.sight.before = window - 1
        return other
    }
}
