import Tensors
import Values

/// What an architecture answers with.
enum Answers: Sendable {
    /// A logit for each token; or vectors of the last row, where a flag asks for them.
    case tokens
    /// A vector for each text, pooled so unless files or flags say otherwise; `sglang` is what SGLang does, and `keepsModules`
    /// whether it reads the modules behind the network. `mayBeSparse`: a file beside the weights may have a head that makes
    /// a number of each row.
    case vectors(Pooling, sglang: Pooling? = nil, keepsModules: Bool = false, mayBeSparse: Bool = false)
    /// Scores or classes for each text, from its pooled row.
    case scores(
        ModelTask.Kind, pooling: @Sendable (ConfigFields) throws(CheckpointError) -> Pooling,
        stages: @Sendable (ConfigFields) throws(CheckpointError) -> [HeadStage.Plan])
}

extension Answers {
    /// Scores or classes from a row of one place.
    static func scores(
        _ kind: ModelTask.Kind, _ pooling: Pooling,
        stages: @escaping @Sendable (ConfigFields) throws(CheckpointError) -> [HeadStage.Plan]
    ) -> Answers {
        .scores(kind, pooling: { (_: ConfigFields) throws(CheckpointError) in pooling }, stages: stages)
    }

    /// Classes from the last row by one product.
    static func classes(
        _ tensor: String, count: @escaping @Sendable (ConfigFields) throws(CheckpointError) -> Int
    ) -> Answers {
        .scores(.classification, .last) { fields throws(CheckpointError) in
            let hidden = try fields.requiredInteger("hidden_size", in: 1...(1 << 20))
            return [.linear(tensor, inputs: hidden, outputs: try count(fields), .optional, .identity)]
        }
    }

    /// A reward from the last row that weighs attributes by the row, as URM's models have it (Lou et al. 2024, arXiv:2410.00847).
    static let weighedAttributes = Answers.scores(.classification, .last) { fields throws(CheckpointError) in
        let labels = try labelCount(fields)
        guard labels.isMultiple(of: 2) else {
            throw fields.error("num_labels", "\(labels) is odd: each attribute has two")
        }
        let hidden = try fields.requiredInteger("hidden_size", in: 1...(1 << 20))
        return [
            .weighed(
                score: "score", weights: ["weights.fc.0", "weights.fc.2", "weights.fc.4"], inputs: hidden,
                labels: labels)
        ]
    }

    /// A reward from the last row by two products, as Qwen's reward models have them.
    static let reward = Answers.scores(.classification, .last) { fields throws(CheckpointError) in
        let hidden = try fields.requiredInteger("hidden_size", in: 1...(1 << 20))
        return [
            .linear("score.0", inputs: hidden, outputs: hidden, .present, .relu),
            .linear("score.2", inputs: hidden, outputs: 1, .present, .identity),
        ]
    }
}

extension Answers {
    /// Whether a head may make a number of each row.
    var mayBeSparse: Bool { if case .vectors(_, _, _, let mayBe) = self { mayBe } else { false } }
}

/// How hidden states become answers: known from the files, built into a head when the weights are.
struct AnswerPlan {
    /// What it amounts to.
    private(set) var task: ModelTask
    /// How rows become one; nil where every wanted row is projected to the vocabulary.
    private(set) var pooling: Pooling?
    /// What happens to the pooled row.
    private(set) var stages: [HeadStage.Plan] = []

    /// The key under which the pooling of a GGUF file is handed on.
    static let poolingKey = "pooling_mode"

    /// Reads what the configuration, the files beside it and the flags say.
    init(_ config: ModelConfig, modelPath: String, settings: TaskSettings) throws(CheckpointError) {
        let architecture = try Architecture.of(config.fields)
        if settings.sparseHead != nil, !architecture.answers.mayBeSparse {
            throw .unsupportedArchitecture(
                file: "SGLANG_EMBEDDINGS_SPARSE_HEAD", name: architecture.name,
                supported: Architecture.all.filter(\.answers.mayBeSparse).map(\.name))
        }
        task = ModelTask(
            kind: .generation, width: config.vocabularySize, maxTokens: config.derivedContextLength)
        switch architecture.answers {
        case .tokens:
            guard settings.isEmbedding else { return }
            try setVectors(config, modelPath, settings, (usual: .last, sglang: .last))
        case .vectors(let usual, let sglang, let keepsModules, _):
            try setVectors(config, modelPath, settings, (usual, sglang ?? usual), keepsModules: keepsModules)
            if settings.sparseHead != nil { try setSparse(config) }
        case .scores(let kind, let pool, let plan):
            pooling = try pool(config.fields)
            stages = try plan(config.fields)
            task.kind = kind
            task.width = width(config)
            task.labels = try Self.labels(config.fields, count: task.width)
        }
        task.wholePrompts = architecture.isBidirectional || pooling != .last
        task.isBidirectional = architecture.isBidirectional
        task.pooling = pooling?.word ?? ""
    }

    /// A vector's numbers, unless the checkpoint's modules make others of them.
    private mutating func setVectors(
        _ config: ModelConfig, _ modelPath: String, _ settings: TaskSettings,
        _ pools: (usual: Pooling, sglang: Pooling),
        keepsModules: Bool = false
    ) throws(CheckpointError) {
        task.kind = .embedding
        task.normalizes = true
        let modules = try SentenceModules(modelPath: modelPath)
        let decides = settings.rule == .checkpoint
        let stated = try config.fields.string(Self.poolingKey).flatMap { Pooling(sentenceTransformers: $0) }
        let chosen = decides ? modules.pooling ?? stated ?? pools.usual : pools.sglang
        pooling = Pooling(settings.pooler) ?? chosen
        if decides || keepsModules { try addModules(modules.modules) }
        if stages.last == .normalize { stages.removeLast() }
        task.width = width(config)
        task.trainedTokens = decides ? modules.maxTokens : nil
        task.passesOverPrompt = decides && !modules.includesPrompt
        task.matryoshka = try Self.matryoshka(config.fields)
    }

    /// A weight for each token of a text in the place of a vector (Chen et al. 2024, arXiv:2402.03216).
    private mutating func setSparse(_ config: ModelConfig) throws(CheckpointError) {
        pooling = .each
        stages = [.linear(HeadStage.sparseName, inputs: config.hiddenSize, outputs: 1, .present, .relu)]
        task.isSparse = true
        task.normalizes = false
        task.matryoshka = nil
        task.passesOverPrompt = false
        task.width = config.derivedContextLength
        for (key, usual) in [("bos_token_id", 0), ("pad_token_id", 1), ("eos_token_id", 2)] {
            let ids = try tokenIDs(config.fields, key)
            task.silentTokens += (ids.isEmpty ? [usual] : ids).map { Int32($0) }
        }
    }

    private mutating func addModules(_ modules: [SentenceModules.Module]) throws(CheckpointError) {
        for module in modules {
            switch module {
            case .normalize: stages.append(.normalize)
            case .dense(let name, let inputs, let outputs, let hasBias, let activation):
                let bias: HeadStage.Bias = hasBias ? .present : .absent
                stages.append(.linear(name, inputs: inputs, outputs: outputs, bias, activation))
            }
        }
    }

    /// Numbers that come out of the last stage.
    private func width(_ config: ModelConfig) -> Int {
        stages.reduce(config.hiddenSize) { width, stage in
            switch stage {
            case .linear(_, _, let outputs, _, _): outputs
            case .weighed: 1
            case .norm, .normalize: width
            }
        }
    }

    /// The sizes to which vectors may be cut; nil when there is none.
    private static func matryoshka(_ fields: ConfigFields) throws(CheckpointError) -> [Int]? {
        if let sizes = try fields.integers("matryoshka_dimensions", in: 1...(1 << 20)) { return sizes }
        return try fields.boolean("is_matryoshka") ?? false ? [] : nil
    }

    /// The labels of `id2label`, else numbered ones.
    private static func labels(_ fields: ConfigFields, count: Int) throws(CheckpointError) -> [String] {
        let names = try fields.object("id2label")
        var labels: [String] = []
        for id in 0..<count { labels.append(try names?.string("\(id)") ?? "LABEL_\(id)") }
        return labels
    }
}

/// The number of labels of a classifier: those of `id2label`, else `num_labels`, else transformers' two.
func labelCount(_ fields: ConfigFields) throws(CheckpointError) -> Int {
    if let names = try fields.object("id2label"), !names.keys.isEmpty { return names.keys.count }
    return try fields.integer("num_labels", in: 1...65_536) ?? 2
}
