/// What Qwen's mixtures of experts read of a configuration beside the common keys.
struct QwenMoeKeys {
    /// What Llama's kin read.
    let llama: LlamaKeys
    /// Experts of a layer, and how many of them a row takes.
    let experts: Int
    let each: Int
    /// Elements between an expert's projections.
    let size: Int
    let normalizes: Bool
    /// Every so many layers the MLP is a mixture of experts.
    private let sparseStep: Int
    /// Layers whose MLP is none.
    private let dense: Set<Int>

    /// Reads the keys.
    init(_ fields: ConfigFields) throws(CheckpointError) {
        llama = try LlamaKeys(fields)
        experts = try fields.requiredInteger("num_experts", in: 0...65_536)
        let most = max(1, experts)
        each = try fields.requiredInteger("num_experts_per_tok", in: 1...min(most, 256))
        size = try fields.requiredInteger("moe_intermediate_size", in: 1...ModelConfig.widthLimit)
        normalizes = try fields.boolean("norm_topk_prob") ?? false
        sparseStep = try fields.integer("decoder_sparse_step", in: 1...10_000) ?? 1
        dense = Set(try fields.integers("mlp_only_layers", in: 0...10_000) ?? [])
    }

    /// Whether a layer chooses between experts.
    ///
    /// As transformers has it; SGLang passes `mlp_only_layers` and `decoder_sparse_step` over and expects experts in every
    /// layer. Published checkpoints have them in every layer.
    func isSparse(_ layer: Int) -> Bool {
        experts > 0 && !dense.contains(layer) && (layer + 1) % sparseStep == 0
    }

    /// The experts of a layer.
    var shape: ExpertShape { ExpertShape(count: experts, each: each, size: size, normalizes: normalizes) }
}
