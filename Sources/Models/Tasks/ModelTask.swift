package import Values

/// What a model is for, and what its answers look like; known from its configuration, without its weights.
package struct ModelTask: Sendable, Equatable {
    /// What is asked of a model.
    package enum Kind: String, Sendable, CaseIterable {
        /// The next token.
        case generation
        /// A vector for a text.
        case embedding
        /// A score for a pair of texts.
        case crossEncoder
        /// Classes or a reward for a text.
        case classification
    }

    /// What is asked of it.
    package var kind: Kind
    /// Numbers of one answer: vocabulary, embedding size, labels; of a sparse vector, tokens of a text at most.
    package var width: Int
    /// Whether a prompt is computed in one step, never cut, and shares no prefix.
    package var wholePrompts = false
    /// Whether the answer becomes a unit vector, after it was cut to the dimensions asked for. The model gives raw numbers.
    package var normalizes = false
    /// To how many dimensions an answer may be cut; nil: to none, empty: to any.
    package var matryoshka: [Int]?
    /// What the numbers of an answer stand for, where they are classes.
    package var labels: [String] = []
    /// Tokens of a prompt at most.
    package var maxTokens: Int
    /// To how many tokens sentence-transformers cuts a text, where the checkpoint says it.
    package var trainedTokens: Int?

    /// How the rows of a text become one, in a word; empty where every row counts by itself.
    package var pooling = ""
    /// Whether a token sees those behind it.
    package var isBidirectional = false
    /// Whether a vector has a number for each token of the text, rather than as many as there are dimensions.
    package var isSparse = false
    /// Tokens that have no number in a sparse vector: those around a text.
    package var silentTokens: [Int32] = []
    /// Whether the prompt that a checkpoint has before each text is left out of what becomes of the rows.
    package var passesOverPrompt = false

    /// Describes a task; what is not named is as in generation.
    package init(kind: Kind, width: Int, maxTokens: Int) {
        self.kind = kind
        self.width = width
        self.maxTokens = maxTokens
    }

    /// The task of a checkpoint with this configuration; throws what its files say wrongly, with file and key.
    package static func of(
        _ config: ModelConfig, modelPath: String, settings: TaskSettings = TaskSettings()
    ) throws(CheckpointError) -> ModelTask {
        try AnswerPlan(config, modelPath: modelPath, settings: settings).task
    }
}

/// What launch flags say about a model's task.
package struct TaskSettings: Sendable, Equatable {
    /// Whether a model that predicts tokens gives vectors instead (`--is-embedding`).
    package var isEmbedding: Bool
    /// How rows are pooled, whatever else says so (`--pooler-type`).
    package var pooler: PoolerType
    /// Whose rule counts where `pooler` is `auto` (`--pooling-compat`).
    package var rule: PoolingRule
    /// The file in the model's folder with the head of sparse vectors (`SGLANG_EMBEDDINGS_SPARSE_HEAD`); nil: vectors are dense.
    package var sparseHead: String?

    /// The same file, with what its tensors are called.
    var sparseHeadFile: HeadFile? { sparseHead.map { HeadFile(name: $0, prefix: HeadStage.sparseName + ".") } }

    /// States the flags.
    package init(
        isEmbedding: Bool = false, pooler: PoolerType = .auto, rule: PoolingRule = .checkpoint,
        sparseHead: String? = nil
    ) {
        self.sparseHead = sparseHead
        self.isEmbedding = isEmbedding
        self.pooler = pooler
        self.rule = rule
    }
}
