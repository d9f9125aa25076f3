package import Tensors
package import Values

/// Sampling defaults that a model folder suggests; a request may override each.
package struct GenerationDefaults: Sendable, Equatable {
    /// Divisor of the logits.
    package var temperature: Double?
    /// How many tokens stay; −1 for all.
    package var topK: Int?
    /// Which share of the probability stays.
    package var topP: Double?
    /// Least probability relative to the best token.
    package var minP: Double?
    /// Divisor of the logits of tokens that have come before.
    package var repetitionPenalty: Double?

    /// No suggestions.
    package init() {}

    /// Reads `generation_config.json`.
    init(_ fields: ConfigFields) throws(CheckpointError) {
        temperature = try fields.number("temperature", in: 0...1e6)
        topK = try fields.integer("top_k", in: -1...ModelConfig.widthLimit)
        topP = try fields.number("top_p", in: 0...1)
        minP = try fields.number("min_p", in: 0...1)
        repetitionPenalty = try fields.number("repetition_penalty", in: 0...1e6)
    }
}

extension DType {
    /// The type with this name in a configuration (`bfloat16`, `torch.float16`, …); nil for others.
    init?(configName: String) {
        switch configName {
        case "bfloat16", "torch.bfloat16", "bf16": self = .bfloat16
        case "float16", "torch.float16", "half", "fp16": self = .float16
        case "float32", "torch.float32", "float", "fp32": self = .float32
        default: return nil
        }
    }
}

extension ModelConfig {
    /// The type to compute in.
    ///
    /// `auto` is SGLang's rule: a bfloat16 checkpoint stays bfloat16; float16, float32 and unnamed ones become float16.
    package func resolvedDType(flag: ModelDType) -> DType {
        switch flag {
        case .auto: checkpointDType == .bfloat16 ? .bfloat16 : .float16
        case .float16: .float16
        case .bfloat16: .bfloat16
        case .float32: .float32
        }
    }

    /// The context length to serve: the flag if it is given, else what the configuration implies.
    ///
    /// A longer one than implied is an error: whoever wants it says so by overriding the configuration.
    package func contextLength(flag: Int?) throws(CheckpointError) -> Int {
        guard let flag else { return derivedContextLength }
        guard flag >= 1, flag <= ModelConfig.positionLimit else {
            throw .badConfig(file: "--context-length", key: "context_length", reason: "\(flag) is out of range")
        }
        guard flag <= derivedContextLength else {
            let reason =
                "User-specified context_length (\(flag)) is greater than the derived context_length "
                + "(\(derivedContextLength)). To allow it: --json-model-override-args "
                + "'{\"max_position_embeddings\": \(flag)}'"
            throw .badConfig(file: "--context-length", key: "context_length", reason: reason)
        }
        return flag
    }
}
