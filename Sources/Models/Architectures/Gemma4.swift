import JSON
import Tensors

extension Architecture {
    /// Gemma 4: norms on both sides of each block and over heads of queries, keys and values; windows with a rotation and heads of
    /// their own; the last layers may take keys and values of earlier ones, tokens may give each layer a vector, and experts may
    /// stand beside the MLP.
    static let gemma4 = Architecture(
        "Gemma4ForCausalLM", modelType: "gemma4_text",
        defaults: Defaults(
            theta: 1_000_000, maxPositions: 131_072,
            values: [
                "tie_word_embeddings": true, "head_dim": 256, "num_attention_heads": 8, "num_key_value_heads": 4,
                "vocab_size": 262_144, "max_position_embeddings": 131_072, "hidden_size_per_layer_input": 256,
            ]),
        gguf: gemma4Dialect, keys: Gemma4Keys.init
    ) { root, keys throws(CheckpointError) in
        for tower in ["vision_tower", "audio_tower", "embed_vision", "embed_audio"] {
            root.plan.passOver("model.\(tower).", "\(tower).")
        }
        return try Gemma4(root, keys)
    }

    /// llama.cpp's names; layers differ in heads and width, which files list layer by layer.
    private static let gemma4Dialect = GGUFDialect(
        "gemma4",
        roots: [
            "per_layer_token_embd": "model.embed_tokens_per_layer",
            "per_layer_model_proj": "model.per_layer_model_projection",
            "per_layer_proj_norm": "model.per_layer_projection_norm",
        ],
        modules: [
            "attn_q_norm": "self_attn.q_norm", "attn_k_norm": "self_attn.k_norm",
            "post_attention_norm": "post_attention_layernorm", "ffn_norm": "pre_feedforward_layernorm",
            "post_ffw_norm": "post_feedforward_layernorm", "post_ffw_norm_1": "post_feedforward_layernorm_1",
            "post_ffw_norm_2": "post_feedforward_layernorm_2", "pre_ffw_norm_2": "pre_feedforward_layernorm_2",
            "ffn_gate_inp": "router.proj", "ffn_gate_inp.scale": "=router.scale",
            "ffn_down_exps.scale": "=router.per_expert_scale", "ffn_gate_up_exps": "=experts.gate_up_proj",
            "ffn_down_exps": "=experts.down_proj", "inp_gate": "per_layer_input_gate",
            "proj": "per_layer_projection", "post_norm": "post_per_layer_input_norm",
            "layer_output_scale": "=layer_scalar",
        ], experts: GGUFExperts(normalizes: true, place: "", stacks: [:]), layersDiffer: true,
        keys: [
            "global_head_dim": "attention.key_length", "head_dim": "attention.key_length_swa",
            "sliding_window": "attention.sliding_window", "rope_local_base_freq": "rope.freq_base_swa",
            "sliding_window_layers": "attention.sliding_window_pattern",
            "num_kv_shared_layers": "attention.shared_kv_layers",
            "hidden_size_per_layer_input": "embedding_length_per_layer_input",
            "final_logit_softcapping": "final_logit_softcapping", "layer_widths": "feed_forward_length",
            "layer_key_value_heads": "attention.head_count_kv", "rotated_in_windows": "rope.dimension_count_swa",
        ], implied: impliedByGemma4)

    /// What files say by lists of all layers, and by what they leave out.
    private static func impliedByGemma4(_ fields: ConfigFields) throws(CheckpointError) -> [String: JSONValue] {
        let layers = try fields.requiredInteger("num_hidden_layers", in: 1...10_000)
        var implied: [String: JSONValue] = ["partial_rotary_factor": 1]
        let windows = try fields.booleans("sliding_window_layers")
        guard windows == nil || windows?.count == layers else {
            throw fields.error("sliding_window_layers", "is not as long as there are layers")
        }
        if let windows {
            implied["layer_types"] = .array(windows.map { $0 ? "sliding_attention" : "full_attention" })
        }
        if let rotated = try fields.integer("rotated_in_windows", in: 1...4096),
            rotated != (try fields.integer("head_dim", in: 1...4096))
        {
            throw fields.error("rotated_in_windows", "\(rotated) is not the whole head; supported: the whole head")
        }
        if fields.isList("layer_key_value_heads"), let windows {
            let heads = try fields.integers("layer_key_value_heads", in: 1...65_536) ?? []
            guard heads.count == layers else {
                throw fields.error("layer_key_value_heads", "is not as long as there are layers")
            }
            func common(_ isWindow: Bool) throws(CheckpointError) -> Int? {
                let own = Set(zip(heads, windows).filter { $0.1 == isWindow }.map(\.0))
                guard own.count <= 1 else {
                    throw fields.error("layer_key_value_heads", "layers of one kind differ, which is not supported")
                }
                return own.first
            }
            if let heads = try common(true) { implied["num_key_value_heads"] = .int(Int64(heads)) }
            if let heads = try common(false) { implied["num_global_key_value_heads"] = .int(Int64(heads)) }
        }
        if fields.isList("layer_widths") {
            let widths = try fields.integers("layer_widths", in: 1...ModelConfig.widthLimit) ?? []
            let shared = try fields.integer("num_kv_shared_layers", in: 0...layers) ?? 0
            let own = widths.prefix(layers - shared), late = widths.suffix(shared)
            let isDouble = late.first.map { $0 != own.first } ?? false
            guard widths.count == layers, let width = own.first, own.allSatisfy({ $0 == width }),
                late.allSatisfy({ $0 == (isDouble ? 2 : 1) * width })
            else { throw fields.error("layer_widths", "is not one width, doubled in the last \(shared) layers") }
            implied["use_double_wide_mlp"] = .bool(isDouble)
        }
        if !fields.has("hidden_size_per_layer_input") { implied["hidden_size_per_layer_input"] = 0 }
        let experts = try fields.integer("num_experts", in: 0...65_536) ?? 0
        implied["enable_moe_block"] = .bool(experts > 0)
        if let each = try fields.integer("num_experts_per_tok", in: 0...65_536) {
            implied["top_k_experts"] = .int(Int64(each))
        }
        return implied
    }
}

/// What Gemma 4 reads of a configuration beside the common keys.
struct Gemma4Keys {
    /// A kind of layers: their key-value heads, the numbers of a head, and how those turn.
    struct Kind {
        var keyValueHeads: Int
        var headSize: Int
        var rope: RopeConfig
    }

    /// Experts beside the MLP.
    struct Experts {
        let count: Int
        let each: Int
        let size: Int
    }

    /// The function on gates.
    let function: MLPFunction
    /// Which layers see a window.
    let kinds: LayerKinds
    /// Positions that such a layer sees, its own included.
    let window: Int
    /// Layers that see the whole text, and those with a window.
    let full: Kind
    let local: Kind
    /// Whether values of the first are the keys before their norm.
    let valuesAreKeys: Bool
    /// Whether attention's projections have biases.
    let attentionBias: Bool
    /// How many of the last layers take keys and values of earlier ones.
    let sharedLayers: Int
    /// Whether the MLPs of those are twice as wide.
    let doublesWidth: Bool
    /// Numbers that a token gives to each layer; 0 for none.
    let layerInput: Int
    /// Experts; nil where there are none.
    let experts: Experts?
    /// Cap on logits.
    let logitCap: Float?

    /// Reads the keys.
    init(_ fields: ConfigFields) throws(CheckpointError) {
        if let seen = try fields.string("use_bidirectional_attention"), seen != "vision" {
            throw fields.error(
                "use_bidirectional_attention",
                "`\(printable(seen))` is not supported for this architecture; supported: vision, or none")
        }
        let layers = try fields.requiredInteger("num_hidden_layers", in: 1...10_000)
        function = try MLPFunction(fields, "hidden_activation", default: "gelu_pytorch_tanh")
        kinds = try LayerKinds(fields, every: "sliding_window_pattern", usual: 6, firstIsFull: false)
        window = try fields.integer("sliding_window", in: 1...ModelConfig.positionLimit) ?? 512
        attentionBias = try fields.boolean("attention_bias") ?? false
        valuesAreKeys = try fields.boolean("attention_k_eq_v") ?? false
        sharedLayers = try fields.integer("num_kv_shared_layers", in: 0...layers - 1) ?? 0
        doublesWidth = try fields.boolean("use_double_wide_mlp") ?? false
        layerInput = try fields.integer("hidden_size_per_layer_input", in: 0...(1 << 20)) ?? 0
        logitCap = try fields.cap("final_logit_softcapping")
        (full, local) = try Self.kinds(fields, valuesAreKeys: valuesAreKeys, kinds, layers: layers)
        let vocabulary = try fields.requiredInteger("vocab_size", in: 1...ModelConfig.widthLimit)
        if layerInput > 0, let rows = try fields.integer("vocab_size_per_layer_input", in: 0...ModelConfig.widthLimit),
            rows != vocabulary
        {
            throw fields.error(
                "vocab_size_per_layer_input", "\(rows) is not supported; supported: vocab_size, \(vocabulary)")
        }
        guard try fields.boolean("enable_moe_block") ?? false else {
            experts = nil
            return
        }
        let count = try fields.requiredInteger("num_experts", in: 1...65_536)
        experts = Experts(
            count: count, each: try fields.requiredInteger("top_k_experts", in: 1...min(count, 256)),
            size: try fields.requiredInteger("moe_intermediate_size", in: 1...ModelConfig.widthLimit))
    }

    /// Whether a layer sees the whole text; the last one always does.
    func isFull(_ layer: Int, of layers: Int) -> Bool { layer == layers - 1 || kinds.isFull(layer) }

    /// Heads and rotation of both kinds of layers, in the words of published files or of transformers, which lists each layer that
    /// differs.
    private static func kinds(
        _ fields: ConfigFields, valuesAreKeys: Bool, _ kinds: LayerKinds, layers: Int
    ) throws(CheckpointError) -> (full: Kind, local: Kind) {
        let size = try fields.requiredInteger("head_dim", in: 2...4096)
        let heads = try fields.requiredInteger("num_key_value_heads", in: 1...65_536)
        var own = (heads: heads, size: size)
        if let listed = try fields.object("per_layer_config") {
            own = try self.own(listed, (heads, size), isFull: { $0 == layers - 1 || kinds.isFull($0) }, layers)
        } else {
            own.size = try ModelConfig.fullHead(fields) ?? 512
            let full = try fields.integer("num_global_key_value_heads", in: 1...65_536)
            if valuesAreKeys, let full { own.heads = full }
        }
        let positions = try fields.integer("max_position_embeddings", in: 1...ModelConfig.positionLimit) ?? 131_072
        let sections = try fields.object("rope_parameters")
        var rope = RopeConfig(
            theta: 1_000_000, scaling: .proportional(rotated: own.size / 8, factor: 1), rotaryDimension: own.size)
        if sections != nil || fields.has("rope_scaling") {
            rope = try RopeFields(fields).rope(
                headDimension: own.size, maxPositions: positions, defaultTheta: 1_000_000)
        }
        let theta = try fields.number("rope_local_base_freq", in: 1e-3...1e15) ?? 10_000
        var localRope = RopeConfig(theta: theta, scaling: .none, rotaryDimension: size)
        if try sections?.object("sliding_attention") != nil {
            localRope = try RopeFields(fields, layers: "sliding_attention").rope(
                headDimension: size, maxPositions: positions, defaultTheta: 10_000)
        }
        return (
            Kind(keyValueHeads: own.heads, headSize: own.size, rope: rope),
            Kind(keyValueHeads: heads, headSize: size, rope: localRope)
        )
    }

    /// What `per_layer_config` says of the layers that see everything, which is the same for all of them.
    private static func own(
        _ listed: ConfigFields, _ usual: (heads: Int, size: Int), isFull: (Int) -> Bool, _ layers: Int
    ) throws(CheckpointError) -> (heads: Int, size: Int) {
        var found: (heads: Int, size: Int)?
        for layer in 0..<layers {
            var own = usual
            if let layerFields = try listed.object("\(layer)") {
                for key in layerFields.keys where !["head_dim", "num_key_value_heads"].contains(key) {
                    throw layerFields.error(key, "is not supported; supported: head_dim, num_key_value_heads")
                }
                own.size = try layerFields.integer("head_dim", in: 2...4096) ?? own.size
                own.heads = try layerFields.integer("num_key_value_heads", in: 1...65_536) ?? own.heads
            }
            let expected = isFull(layer) ? found ?? own : usual
            guard own == expected else {
                throw listed.error("\(layer)", "layers of one kind differ in it, which is not supported")
            }
            if isFull(layer) { found = own }
        }
        return found ?? usual
    }
}

/// Gemma 4's layers.
struct Gemma4: Network {
    /// One block: attention, MLP with or without experts, and what tokens give, each behind norms; at the end everything is scaled.
    struct Layer {
        let inputNorm: RMSNorm
        let attention: Attention
        let postAttentionNorm: RMSNorm
        let preMLPNorm: RMSNorm
        let mlp: GatedMLP
        let experts: ExpertsBeside?
        let postMLPNorm: RMSNorm
        let inputGate: LayerInputGate?
        let scalar: VectorID

        /// Advances the residual stream.
        func forward(_ step: inout Step, hidden: Int) {
            inputNorm(step.residual, into: step.normed, step)
            attention.attend(step.normed, &step)
            step.addBranch(postAttentionNorm) { branch, step in
                attention.output(step.attended, addingTo: branch, step)
            }
            preMLPNorm(step.residual, into: step.normed, step)
            step.addBranch(postMLPNorm) { branch, step in
                mlp(step.normed, addingTo: branch, step)
                experts?(branch, step)
            }
            inputGate?(step)
            step.compute.cap(step.residual, count: step.rows * hidden, scale: step.weights[scalar]![0], cap: nil)
        }
    }

    let embedding: VocabEmbedding
    let layers: [Layer]
    let norm: (any RowNorm)?
    let logitTerms: LogitTerms
    private let inputs: LayerInputs?
    private let embeddingScale: Float
    private let hidden: Int

    /// Takes every tensor but a head's.
    init(_ root: ModelScope, _ keys: Gemma4Keys) throws(CheckpointError) {
        hidden = root.config.hiddenSize
        embedding = try VocabEmbedding(root.at("model.embed_tokens"))
        inputs = keys.layerInput > 0 ? try LayerInputs(root.at("model"), size: keys.layerInput) : nil
        let first = root.config.layerCount - keys.sharedLayers
        var caches: [Bool: CacheID] = [:]
        layers = try root.layers("model.layers") { scope, index throws(CheckpointError) in
            let isFull = keys.isFull(index, of: root.config.layerCount)
            let reused = index < first ? nil : caches[isFull]
            if index >= first, reused == nil {
                throw .badConfig(
                    file: root.plan.modelPath, key: "num_kv_shared_layers",
                    reason: "layer \(index) has no earlier one of its kind whose keys it could take")
            }
            let layer = try Self.layer(scope, keys, index, isFull: isFull, reused: reused)
            if reused == nil { caches[isFull] = layer.attention.cache }
            return layer
        }
        norm = try RMSNorm(root.at("model.norm"))
        embeddingScale = root.plan.dtype.rounded(Float(Double(hidden).squareRoot()))
        var terms = LogitTerms()
        terms.cap = keys.logitCap
        logitTerms = terms
    }

    func forward(_ step: inout Step) {
        embedding(step.tokens, into: step.residual, scale: embeddingScale, step)
        inputs?(step)
        for layer in layers { layer.forward(&step, hidden: hidden) }
    }

    /// Takes the tensors under `layers.N`; `reused` is the cache of an earlier layer, whose keys and values this one takes.
    private static func layer(
        _ scope: ModelScope, _ keys: Gemma4Keys, _ index: Int, isFull: Bool, reused: CacheID?
    ) throws(CheckpointError) -> Layer {
        if reused != nil {
            for name in ["k_proj.", "v_proj.", "k_norm."] {
                scope.plan.passOver(scope.at("self_attn").prefix + "." + name)
            }
        }
        let scalar = scope.at("layer_scalar").prefix
        scope.plan.reserve(.branch, floats: scope.config.hiddenSize)
        return Layer(
            inputNorm: try RMSNorm(scope.at("input_layernorm")),
            attention: try attention(scope.at("self_attn"), keys, index, isFull: isFull, reused: reused),
            postAttentionNorm: try RMSNorm(scope.at("post_attention_layernorm")),
            preMLPNorm: try RMSNorm(scope.at("pre_feedforward_layernorm")),
            mlp: try GatedMLP(
                scope.at("mlp"), keys.function,
                size: scope.config.intermediateSize * (reused != nil && keys.doublesWidth ? 2 : 1)),
            experts: try keys.experts.map { experts throws(CheckpointError) in
                try ExpertsBeside(scope, shape(experts, scope, keys.function), layer: index)
            },
            postMLPNorm: try RMSNorm(scope.at("post_feedforward_layernorm")),
            inputGate: keys.layerInput > 0
                ? try LayerInputGate(scope, layer: index, size: keys.layerInput, keys.function) : nil,
            scalar: try scope.plan.vector(scalar, [TensorSlice(scalar, shape: [1])]))
    }

    /// Attention of a layer: scores as they are, since norms of heads bound them.
    private static func attention(
        _ scope: ModelScope, _ keys: Gemma4Keys, _ index: Int, isFull: Bool, reused: CacheID?
    ) throws(CheckpointError) -> Attention {
        let kind = isFull ? keys.full : keys.local
        var shape = try AttentionShape(
            scope, queries: scope.config.headCount, keyValues: kind.keyValueHeads, size: kind.headSize, rope: kind.rope)
        shape.scale = 1
        shape.normalizesValues = true
        if !isFull { shape = shape.sliding(keys.window) }
        let value = isFull && keys.valuesAreKeys ? "k_proj" : "v_proj"
        return try Attention(
            scope, shape, layer: index,
            names: .apart(query: "q_proj", key: "k_proj", value: value, output: "o_proj"),
            biases: (keys.attentionBias, keys.attentionBias), norms: .heads(), cache: reused,
            reusesKeys: reused != nil)
    }

    /// The experts of a layer.
    private static func shape(_ experts: Gemma4Keys.Experts, _ scope: ModelScope, _ function: MLPFunction)
        -> ExpertShape
    {
        var shape = ExpertShape(count: experts.count, each: experts.each, size: experts.size, normalizes: true)
        shape.names.router = "router.proj"
        shape.stacks = ExpertStacks(gateUp: "experts.gate_up_proj", down: "experts.down_proj")
        shape.scoring.logitFactor = 1 / Float(scope.config.hiddenSize).squareRoot()
        shape.scoring.expertFactors = "router.per_expert_scale"
        shape.function = function
        return shape
    }
}
