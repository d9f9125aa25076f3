import JSON

/// The parts of a split GGUF file's name, `model-00001-of-00003.gguf`.
struct GGUFSplitName: Equatable {
    /// Everything before `-00001-of-…`, folder included.
    let stem: String
    /// Number of this part, from 1.
    let number: Int
    /// Number of parts.
    let count: Int

    /// Takes a file name or path apart; nil when it is not of that form.
    init?(_ path: String) {
        let suffix = path.utf8.suffix(20)  // -00001-of-00003.gguf
        guard suffix.count == 20, let text = String(suffix), text.hasPrefix("-"), text.hasSuffix(".gguf") else {
            return nil
        }
        let digits = Array(text.utf8)
        guard digits[6...9].elementsEqual("-of-".utf8), let number = GGUFSplitName.integer(digits[1...5]),
            let count = GGUFSplitName.integer(digits[10...14]), number >= 1, number <= count
        else { return nil }
        stem = String(decoding: path.utf8.dropLast(20), as: UTF8.self)
        self.number = number
        self.count = count
    }

    /// The path of part `number`.
    func path(of number: Int) -> String {
        "\(stem)-\(GGUFSplitName.padded(number))-of-\(GGUFSplitName.padded(count)).gguf"
    }

    /// The first part of the split file that `path` belongs to; `path` itself when it is no part.
    static func first(of path: String) -> String {
        GGUFSplitName(path)?.path(of: 1) ?? path
    }

    private static func padded(_ number: Int) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, 5 - digits.count)) + digits
    }

    private static func integer(_ digits: ArraySlice<UInt8>) -> Int? {
        var result = 0
        for digit in digits {
            guard (48...57).contains(digit) else { return nil }
            result = result * 10 + Int(digit - 48)
        }
        return result
    }
}

/// What llama.cpp's converter calls an architecture and its tensors, and what it does to them.
struct GGUFDialect: Sendable {
    /// `general.architecture`.
    let name: String
    /// Whether the rows of q and k are in the order of interleaved rotation.
    let interleavesHeads: Bool
    /// Tensors outside of the blocks, without `.weight` and `.bias`.
    private let roots: [String: String]
    /// What stands before a block's number.
    private let layers: String
    /// What its mixtures of experts are like; nil where it has none.
    let experts: GGUFExperts?
    /// Whether the file's weights of norms are one more than the checkpoint's.
    let addsOneToNorms: Bool
    /// Whether its layers may differ in heads of keys and values, and in width.
    let layersDiffer: Bool
    /// Metadata keys behind the architecture's name, by the keys of `config.json` that they stand for.
    let keys: [String: String]
    /// What the file does not say, from what it says.
    let implied: @Sendable (ConfigFields) throws(CheckpointError) -> [String: JSONValue]
    private let modules: [String: String]

    /// Names an architecture; `roots` has the tensors outside of blocks that others do not have, `modules` the parts of a block that
    /// others do not have, and the modules they are, or behind a `=` the tensor.
    init(
        _ name: String, interleavesHeads: Bool = false, roots: [String: String] = [:], modules: [String: String] = [:],
        experts: GGUFExperts? = nil, addsOneToNorms: Bool = false, layersDiffer: Bool = false,
        keys: [String: String] = [:],
        implied: @escaping @Sendable (ConfigFields) throws(CheckpointError) -> [String: JSONValue] = {
            (_: ConfigFields) throws(CheckpointError) in [:]
        }
    ) {
        self.name = name
        self.experts = experts
        self.interleavesHeads = interleavesHeads
        self.addsOneToNorms = addsOneToNorms
        self.layersDiffer = layersDiffer
        (self.keys, self.implied) = (keys, implied)
        self.modules = Self.common.merging(modules) { $1 }
        self.roots = ["token_embd": "model.embed_tokens", "output_norm": "model.norm", "output": "lm_head"]
            .merging(roots) { $1 }
        layers = "model.layers"
    }

    /// Names an architecture that has nothing in common with the usual ones.
    init(_ name: String, roots: [String: String], layers: String, parts: [String: String]) {
        self.name = name
        experts = nil
        (interleavesHeads, addsOneToNorms, layersDiffer, keys) = (false, false, false, [:])
        implied = { (_: ConfigFields) throws(CheckpointError) in [:] }
        self.roots = roots
        self.layers = layers
        modules = parts
    }

    /// The name of one of the experts' tensors that a tensor stacks, one for each of its first dimension; nil for a tensor
    /// that is no such stack.
    func expertName(of name: String, expert: Int) -> String? {
        guard let (layer, part, kind) = Self.blockParts(name), let projection = experts?.stacks[part]
        else { return nil }
        return "\(layers).\(layer).\(experts?.place ?? "mlp").experts.\(expert).\(projection).\(kind)"
    }

    /// The Hugging Face name of a tensor; nil when there is none.
    func huggingFaceName(of name: String) -> String? {
        let parts = name.split(separator: ".", omittingEmptySubsequences: false)
        if parts.count == 2, parts[1] == "weight" || parts[1] == "bias" {
            return roots[String(parts[0])].map { "\($0).\(parts[1])" }
        }
        guard let (layer, part, kind) = Self.blockParts(name),
            let module = modules[kind == "scale" ? part + ".scale" : part]
        else { return nil }
        if module.hasPrefix("=") { return "\(layers).\(layer).\(module.dropFirst())" }
        return "\(layers).\(layer).\(module).\(kind)"
    }

    /// The parts of `blk.LAYER.PART.weight`, `.bias` or `.scale`; nil for other names.
    private static func blockParts(_ name: String) -> (layer: Int, part: String, kind: String)? {
        let parts = name.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 4, parts[0] == "blk", ["weight", "bias", "scale"].contains(parts[3]),
            let layer = Int(parts[1]), layer >= 0, String(layer) == parts[1]
        else { return nil }
        return (layer, String(parts[2]), String(parts[3]))
    }

    /// Block parts that every architecture has.
    private static let common = [
        "attn_norm": "input_layernorm",
        "attn_q": "self_attn.q_proj",
        "attn_k": "self_attn.k_proj",
        "attn_v": "self_attn.v_proj",
        "attn_output": "self_attn.o_proj",
        "ffn_norm": "post_attention_layernorm",
        "ffn_gate": "mlp.gate_proj",
        "ffn_up": "mlp.up_proj",
        "ffn_down": "mlp.down_proj",
    ]
}

/// How GGUF files hold mixtures of experts: those of a layer stacked in one tensor for each projection.
struct GGUFExperts: Sendable {
    /// Whether the weights of a row's experts add up to one; files do not say it.
    let normalizes: Bool
    /// What the layer is called in the checkpoint.
    var place = "mlp"
    /// The block parts that are stacks, and the projections in them.
    var stacks = ["ffn_gate_exps": "gate_proj", "ffn_up_exps": "up_proj", "ffn_down_exps": "down_proj"]
}

/// Tensors that belong to the configuration (`rope_freqs.weight` becomes `RopeScaling.frequencyFactors`, the others LongRoPE).
let ggufConfigurationTensors: Set<String> = [
    "rope_freqs.weight", "rope_factors_short.weight", "rope_factors_long.weight",
]
