/// The families of networks that are implemented; a family decides wiring and defaults.
package enum ModelFamily: String, Sendable, CaseIterable {
    case llama, mistral, qwen2, qwen3
}

/// What a model is for.
package enum ModelTask: Sendable, Equatable {
    /// Predicts the next token: has an output head.
    case generation
    /// Turns a text into a vector: no output head.
    case embedding
}

/// An architecture string of `config.json` and what it stands for.
struct ModelArchitecture {
    /// As `architectures[0]` has it.
    let name: String
    /// The family that implements it.
    let family: ModelFamily
    /// What the model is for.
    let task: ModelTask

    /// Everything that can be loaded.
    static let supported = [
        ModelArchitecture(name: "LlamaForCausalLM", family: .llama, task: .generation),
        ModelArchitecture(name: "MistralForCausalLM", family: .mistral, task: .generation),
        ModelArchitecture(name: "Qwen2ForCausalLM", family: .qwen2, task: .generation),
        ModelArchitecture(name: "Qwen3ForCausalLM", family: .qwen3, task: .generation),
        ModelArchitecture(name: "LlamaModel", family: .llama, task: .embedding),
        ModelArchitecture(name: "LlamaEmbeddingModel", family: .llama, task: .embedding),
        ModelArchitecture(name: "MistralModel", family: .mistral, task: .embedding),
        ModelArchitecture(name: "Qwen2Model", family: .qwen2, task: .embedding),
        ModelArchitecture(name: "Qwen3Model", family: .qwen3, task: .embedding),
    ]

    /// Finds the architecture of a configuration: `architectures[0]`, else by `model_type`.
    static func of(_ fields: ConfigFields) throws(CheckpointError) -> ModelArchitecture {
        let modelType = try fields.string("model_type")
        if let name = try fields.strings("architectures")?.first {
            if let architecture = supported.first(where: { $0.name == name }) { return architecture }
            throw .unsupportedArchitecture(file: fields.file, name: name, supported: supported.map(\.name))
        }
        guard let modelType else { throw fields.error("architectures", "is absent") }
        // The first entry of a family is its generating form.
        if let architecture = supported.first(where: { $0.family.rawValue == modelType }) { return architecture }
        throw .unsupportedArchitecture(file: fields.file, name: modelType, supported: supported.map(\.name))
    }
}

extension ModelFamily {
    /// `rope_theta` when the configuration has none.
    var defaultTheta: Double { self == .qwen3 ? 1_000_000 : 10_000 }

    /// `max_position_embeddings` when the configuration has none.
    var defaultMaxPositions: Int {
        switch self {
        case .llama, .mistral: 8192
        case .qwen2, .qwen3: 32768
        }
    }
}
