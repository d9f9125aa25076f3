package import Messages
package import Models
package import Scheduling
package import ServerSettings
package import Tokenizers

/// What an engine is made for; fixed at start.
package struct EngineTraits: Sendable {
    package var limits: SchedulerLimits
    package var vocabularySize: Int
    /// What the model is for.
    package var task: ModelTask
    /// Kinds of tokens that the model tells apart.
    package var tokenTypeCount = 1
    /// Rows of logits that the model computes at once.
    package var logitRows: Int
    /// Ids that end an answer: the model's and the tokenizer's.
    package var endIDs: [Int32] = []
    /// For stop strings and patterns; nil where the server runs without one.
    package var tokenizer: Tokenizer?
    /// Incarnation of the worker group.
    package var generation: UInt64 = 0
    package var timeouts = RequestTimeouts()
    /// Seconds between two tokens of a stream that prompts may cause, about.
    package var targetGap = PromptPieces.usualGap
    /// Decode steps between two lines of the log.
    package var logInterval = 40
    /// What the model's layers choose from; nil: it has no experts.
    package var experts: ExpertTraits?
    /// What may be recorded of that, and how many passes at most; nil: nothing, and all.
    package var expertRecorderMode: ServerSettings.ExpertRecorderMode?
    package var expertRecorderBufferSize: Int?
    /// Requests may ask which experts their tokens took.
    package var returnsRoutedExperts = false
    package var weightBytes: UInt64 = 0
    package var kvBytes: UInt64 = 0
    /// Which weights were loaded.
    package var served = ServedWeights()
    /// What the server was started with.
    package var modelPath = ""
    /// Numbers of a hidden state.
    package var hiddenSize = 0

    /// An engine for a model of this task; nil: one that generates.
    package init(limits: SchedulerLimits, vocabularySize: Int, logitRows: Int, task: ModelTask? = nil) {
        self.limits = limits
        self.task =
            task ?? ModelTask(kind: .generation, width: vocabularySize, maxTokens: limits.contextLength)
        self.vocabularySize = vocabularySize
        self.logitRows = logitRows
    }

    /// Requests are answered with tokens, rather than with a vector.
    var generates: Bool { task.kind == .generation }
}
