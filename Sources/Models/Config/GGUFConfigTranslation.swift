import JSON

/// Writes GGUF metadata as the keys of `config.json`.
struct GGUFConfigTranslation {
    private let checkpoint: GGUFCheckpoint
    private var file: GGUFFile { checkpoint.parts[0] }
    /// What has been translated so far.
    private(set) var members: [(key: String, value: JSONValue)] = []
    /// The metadata keys behind the translated ones.
    private(set) var shownNames: [String: String] = [:]

    /// Starts with nothing translated.
    init(_ checkpoint: GGUFCheckpoint) {
        self.checkpoint = checkpoint
    }

    /// Translates everything.
    mutating func translate() throws(CheckpointError) {
        let name = try file.string("general.architecture") ?? ""
        let experts = try file.integer("\(name).expert_count") ?? 0
        guard let architecture = Architecture.of(gguf: name, hasExperts: experts > 0) else {
            throw .unsupportedArchitecture(file: file.path, name: name, supported: Architecture.ggufNames)
        }
        if experts > 0, architecture.gguf?.experts == nil {
            let supported = Architecture.ggufNames.filter {
                Architecture.of(gguf: $0, hasExperts: true)?.gguf?.experts != nil
            }
            throw .unsupportedArchitecture(
                file: file.path, name: "\(name) with \(experts) experts", supported: supported)
        }
        put("architectures", .array([.string(architecture.name)]))
        put("model_type", .string(name))
        try putSizes(name, layersDiffer: architecture.gguf?.layersDiffer ?? false)
        try putEncoder(name)
        if let dialect = architecture.gguf?.experts { try putExperts(name, dialect) }
        try putHead(name)
        try putRope(name)
        try putBiases()
        try putTokens()
        put("torch_dtype", .string(try dtypeName()))
        if let dialect = architecture.gguf { try putOwn(name, dialect) }
    }

    /// What the architecture alone has.
    private mutating func putOwn(_ name: String, _ dialect: GGUFDialect) throws(CheckpointError) {
        for (key, source) in dialect.keys.sorted(by: { $0.key < $1.key }) {
            let source = "\(name).\(source)"
            shownNames[key] = source
            if let value = try file.json(source) { put(key, value, from: source) }
        }
        let fields = ConfigFields(file: file.path, members: members, shownNames: shownNames)
        for (key, value) in try dialect.implied(fields).sorted(by: { $0.key < $1.key }) { put(key, value) }
    }

    private mutating func put(_ key: String, _ value: JSONValue, from source: String? = nil) {
        members.append((key, value))
        if let source { shownNames[key] = source }
    }

    private mutating func putInteger(_ key: String, _ source: String) throws(CheckpointError) {
        shownNames[key] = source
        if let value = try file.integer(source) { put(key, .int(Int64(value))) }
    }

    private mutating func putLayerInteger(
        _ key: String, _ source: String, layers: Int?, mayDiffer: Bool
    ) throws(CheckpointError) {
        shownNames[key] = source
        if let value = try file.layerInteger(source, layers: layers, mayDiffer: mayDiffer) {
            put(key, .int(Int64(value)))
        }
    }

    private mutating func putSizes(_ name: String, layersDiffer: Bool) throws(CheckpointError) {
        let layers = try file.integer("\(name).block_count")
        try putInteger("num_hidden_layers", "\(name).block_count")
        try putInteger("max_position_embeddings", "\(name).context_length")
        try putInteger("hidden_size", "\(name).embedding_length")
        try putLayerInteger("intermediate_size", "\(name).feed_forward_length", layers: layers, mayDiffer: layersDiffer)
        try putLayerInteger(
            "num_attention_heads", "\(name).attention.head_count", layers: layers, mayDiffer: false)
        try putLayerInteger(
            "num_key_value_heads", "\(name).attention.head_count_kv", layers: layers, mayDiffer: layersDiffer)
        let epsilon = "\(name).attention.layer_norm_rms_epsilon"
        if let value = try file.number(epsilon) { put("rms_norm_eps", .double(value), from: epsilon) }
        if file.metadata["\(name).vocab_size"] != nil {
            try putInteger("vocab_size", "\(name).vocab_size")
        } else if let count = try file.arrayCount("tokenizer.ggml.tokens") {
            put("vocab_size", .int(Int64(count)), from: "tokenizer.ggml.tokens")
        }
    }

    /// What only encoders have: the epsilon of layer norms, tables of positions and token types, pooling.
    private mutating func putEncoder(_ name: String) throws(CheckpointError) {
        let epsilon = "\(name).attention.layer_norm_epsilon"
        if let value = try file.number(epsilon) { put("layer_norm_eps", .double(value), from: epsilon) }
        let tables = [("position_embeddings", "max_position_embeddings"), ("token_type_embeddings", "type_vocab_size")]
        for (table, key) in tables {
            guard let tensor = checkpoint.tensors["embeddings.\(table).weight"], tensor.shape.count == 2 else {
                continue
            }
            put(key, .int(Int64(tensor.rowCount)))
        }
        let source = "\(name).pooling_type"
        guard let type = try file.integer(source), type != 0 else { return }
        let modes = [1: "mean", 2: "cls", 3: "lasttoken"]
        guard let mode = modes[type] else {
            throw .unsupported(file: file.path, place: "key `\(source)`", reason: "\(type) is not 0 to 3")
        }
        put(AnswerPlan.poolingKey, .string(mode), from: source)
    }

    /// Experts. Older files leave the size of an expert out: together those of a row are as wide as a dense layer.
    private mutating func putExperts(_ name: String, _ dialect: GGUFExperts) throws(CheckpointError) {
        for key in ["num_experts", "num_local_experts"] { try putInteger(key, "\(name).expert_count") }
        try putInteger("num_experts_per_tok", "\(name).expert_used_count")
        put("norm_topk_prob", .bool(dialect.normalizes))
        let layers = try file.integer("\(name).block_count")
        let width = try file.layerInteger(
            "\(name).feed_forward_length", layers: layers, mayDiffer: dialect.place.isEmpty)
        let used = try file.integer("\(name).expert_used_count").flatMap { $0 > 0 ? $0 : nil }
        let size = "\(name).expert_feed_forward_length"
        shownNames["moe_intermediate_size"] = size
        if let value = try file.integer(size) ?? width.flatMap({ width in used.map { width / $0 } }) {
            put("moe_intermediate_size", .int(Int64(value)))
        }
        let shared = "\(name).expert_shared_feed_forward_length"
        shownNames["shared_expert_intermediate_size"] = shared
        if let value = try file.integer(shared) ?? width {
            put("shared_expert_intermediate_size", .int(Int64(value)))
        }
    }

    /// Head size, and the part of it that is rotated.
    private mutating func putHead(_ name: String) throws(CheckpointError) {
        let keyLength = "\(name).attention.key_length"
        try putInteger("head_dim", keyLength)
        let key = try file.integer(keyLength)
        if let value = try file.integer("\(name).attention.value_length"), value != key {
            throw .unsupported(
                file: file.path, place: "key `\(name).attention.value_length`",
                reason: "values of another size than keys")
        }
        let source = "\(name).rope.dimension_count"
        guard let rotated = try file.integer(source) else { return }
        let hidden = try file.integer("\(name).embedding_length") ?? 0
        let layers = try file.integer("\(name).block_count")
        let heads = max(1, try file.layerInteger("\(name).attention.head_count", layers: layers) ?? 1)
        let head = key ?? hidden / heads
        guard rotated >= 1, head >= 1, rotated <= head else {
            throw .malformed(file: file.path, place: "key `\(source)`", reason: "\(rotated) of \(head) numbers rotated")
        }
        put("partial_rotary_factor", .double(Double(rotated) / Double(head)), from: source)
    }

    private mutating func putRope(_ name: String) throws(CheckpointError) {
        let base = "\(name).rope.freq_base"
        if let theta = try file.number(base) { put("rope_theta", .double(theta), from: base) }
        var scaling = JSONObject()
        let type = try file.string("\(name).rope.scaling.type")
        if let type, type != "none" {
            scaling["rope_type"] = .string(type)
            let numbers = [
                "factor": "factor", "attn_factor": "attn_factor", "yarn_ext_factor": "extrapolation_factor",
                "yarn_attn_factor": "attn_factor", "yarn_beta_fast": "beta_fast", "yarn_beta_slow": "beta_slow",
            ]
            for (source, key) in numbers.sorted(by: { $0.key < $1.key }) {
                if let value = try file.number("\(name).rope.scaling.\(source)") { scaling[key] = .double(value) }
            }
            if let multiplier = try file.number("\(name).rope.scaling.yarn_log_multiplier") {
                for key in ["mscale", "mscale_all_dim"] { scaling[key] = .double(multiplier) }
            }
        } else if let factor = try file.number("\(name).rope.scale_linear"), factor != 1 {
            scaling["rope_type"] = "linear"
            scaling["factor"] = .double(factor)
        } else if let factors = try checkpoint.ropeNumbers("rope_freqs.weight") {
            scaling["rope_type"] = .string(RopeFields.frequencyFactorsType)
            scaling["factors"] = .array(factors.map { .double(Double($0)) })
        }
        if let short = try checkpoint.ropeNumbers("rope_factors_short.weight"),
            let long = try checkpoint.ropeNumbers("rope_factors_long.weight")
        {
            scaling["rope_type"] = "longrope"
            scaling["short_factor"] = .array(short.map { .double(Double($0)) })
            scaling["long_factor"] = .array(long.map { .double(Double($0)) })
            if let factor = try file.number("\(name).rope.scaling.attn_factor") {
                scaling["attention_factor"] = .double(factor)
            }
        }
        let original = try file.integer("\(name).rope.scaling.original_context_length")
        if let original, !scaling.isEmpty { scaling["original_max_position_embeddings"] = .int(Int64(original)) }
        if !scaling.isEmpty { put("rope_scaling", .object(scaling), from: "\(name).rope.scaling") }
    }

    /// Biases and norms of heads are there if their tensors are.
    private mutating func putBiases() throws(CheckpointError) {
        let layer = "model.layers.0"
        put("attention_bias", .bool(checkpoint.tensors["\(layer).self_attn.q_proj.bias"] != nil))
        put("attention_output_bias", .bool(checkpoint.tensors["\(layer).self_attn.o_proj.bias"] != nil))
        put("mlp_bias", .bool(checkpoint.tensors["\(layer).mlp.down_proj.bias"] != nil))
        put(
            "attention_k_eq_v",
            .bool(
                checkpoint.tensors.keys.contains { name in
                    name.hasSuffix(".k_proj.weight")
                        && checkpoint.tensors[name.dropLast("k_proj.weight".count) + "v_proj.weight"] == nil
                }))
        put("use_qk_norm", .bool(checkpoint.tensors["\(layer).self_attn.q_norm.weight"] != nil))
    }

    private mutating func putTokens() throws(CheckpointError) {
        let count = try file.arrayCount("tokenizer.ggml.tokens") ?? 0
        // Converters write 2^32 − 1 for "none".
        func token(_ key: String) throws(CheckpointError) -> JSONValue? {
            guard let id = try file.integer("tokenizer.ggml.\(key)"), (0..<count).contains(id) else { return nil }
            return .int(Int64(id))
        }
        if let bos = try token("bos_token_id") { put("bos_token_id", bos) }
        if let padding = try token("padding_token_id") { put("pad_token_id", padding) }
        var ends: [JSONValue] = []
        for key in ["eos_token_id", "eot_token_id", "eom_token_id"] {
            if let id = try token(key) { ends.append(id) }
        }
        put("eos_token_id", .array(ends))
    }

    /// The type to compute in: that of plain files; bfloat16 for quantised ones, whose blocks have no type of their
    /// own.
    private func dtypeName() throws(CheckpointError) -> String {
        switch try file.integer("general.file_type") {
        case 0: "float32"
        case 1: "float16"
        default: "bfloat16"
        }
    }
}

extension GGUFCheckpoint {
    /// The numbers of a tensor by which llama.cpp divides the rotary frequencies; nil when the file has none.
    func ropeNumbers(_ name: String) throws(CheckpointError) -> [Float]? {
        for part in parts {
            guard let tensor = part.tensors.first(where: { $0.name == name }) else { continue }
            guard tensor.shape.count == 1, tensor.shape[0] <= 4096, tensor.type.isFloat else {
                throw .malformed(file: part.path, place: "tensor `\(name)`", reason: "shape \(tensor.shape)")
            }
            var factors = [Float](repeating: 0, count: tensor.shape[0])
            let base = part.mapped.pointer(at: tensor.offset)
            factors.withUnsafeMutableBufferPointer {
                readElements(tensor.type, base: base, range: 0..<$0.count, into: $0.baseAddress!)
            }
            return factors
        }
        return nil
    }
}
