package import Tensors
package import Values

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
    /// `auto` is SGLang's rule: bfloat16 and float16 checkpoints stay what they are; float32 and unnamed ones become float16, but
    /// Gemma's, whose numbers grow too large for that, bfloat16.
    package func resolvedDType(flag: ModelDType) -> DType {
        switch flag {
        case .auto:
            switch checkpointDType {
            case .bfloat16: .bfloat16
            case .float16: .float16
            default: modelType.hasPrefix("gemma") ? .bfloat16 : .float16
            }
        case .float16: .float16
        case .bfloat16: .bfloat16
        case .float32: .float32
        }
    }

    /// How weights are stored: as the flags ask, and the blocks of a GGUF file as they are where no flag asks for a method
    /// or names a type.
    package func quantization(asked: Quantization, dtype flag: ModelDType) -> Quantization {
        asked == .none && flag == .auto && isGGUF ? .stored : asked
    }

    /// The context length to serve: the flag if it is given, else what the configuration implies, which is the most.
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

extension ModelConfig {
    /// Throws where a flag names another method than the one that the checkpoint was quantized with.
    package func check(_ asked: QuantizationMethod?) throws(CheckpointError) {
        guard let asked = asked?.checkpointMethod, asked != "gguf", asked != quantizationMethod else { return }
        throw .badConfig(
            file: fields.file, key: "quantization_config.quant_method",
            reason: quantizationMethod.map {
                "Quantization method specified in the model config (\($0)) does not match the quantization method "
                    + "specified in the `quantization` argument (\(asked))."
            } ?? "is absent: the weights are not quantized as --quantization \(asked) says")
    }
}
