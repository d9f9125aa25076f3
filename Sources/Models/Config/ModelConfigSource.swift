import JSON

/// Where a configuration comes from: the members of `config.json`, or GGUF metadata under the same keys.
struct ModelConfigSource {
    /// The file, for errors.
    let file: String
    /// Keys and values as `config.json` has them.
    let members: [(key: String, value: JSONValue)]
    /// For GGUF: the metadata key behind a configuration key.
    var shownNames: [String: String] = [:]
    /// `generation_config.json`, when there is one.
    let generation: ConfigFields?
    /// For GGUF: whether the file lacks an output head of its own, whatever `config.json` says.
    var tiesWordEmbeddings: Bool?
    /// Whether the weights lie in a GGUF file.
    var isGGUF: Bool { tiesWordEmbeddings != nil }
    /// What `hf_quant_config.json`, `quantize_config.json` or `quant_config.json` say.
    var quantization: ConfigFields?

    /// Finds the configuration of a model folder, a GGUF or a safetensors file; see `ModelPath`.
    init(modelPath: String) throws(CheckpointError) {
        let place = try ModelPath(modelPath)
        let config = joinedPath(place.folder, "config.json")
        let hasConfig = fileExists(config)
        generation = try readConfig(ifPresent: joinedPath(place.folder, "generation_config.json"))
        quantization = try ModelConfigSource.quantization(folder: place.folder)
        let gguf = try ModelConfigSource.ggufFile(place, hasConfig: hasConfig)
        guard !hasConfig else {
            file = config
            members = try readJSONFile(config)
            if let gguf { tiesWordEmbeddings = try GGUFCheckpoint(path: gguf).tensors["lm_head.weight"] == nil }
            return
        }
        guard let gguf else {
            throw .unreadable(path: config, reason: "no such file; a model needs a config.json or a GGUF file")
        }
        let checkpoint = try GGUFCheckpoint(path: gguf)
        var translation = GGUFConfigTranslation(checkpoint)
        try translation.translate()
        file = gguf
        members = translation.members
        shownNames = translation.shownNames
        tiesWordEmbeddings = checkpoint.tensors["lm_head.weight"] == nil
    }

    /// The GGUF file that the path stands for; a folder with a `config.json` and safetensors stands for none.
    private static func ggufFile(_ place: ModelPath, hasConfig: Bool) throws(CheckpointError) -> String? {
        if place.kind == .folder, hasConfig, try SafetensorsFolder(place.path).hasWeights { return nil }
        return try place.gguf()
    }

    /// What the side files of quantised checkpoints say.
    private static func quantization(folder: String) throws(CheckpointError) -> ConfigFields? {
        if let fields = try readConfig(ifPresent: joinedPath(folder, "hf_quant_config.json")) {
            guard let method = try fields.object("quantization")?.string("quant_algo") else { return nil }
            return ConfigFields(file: fields.file, members: [("quant_method", .string(method.lowercased()))])
        }
        if let fields = try readConfig(ifPresent: joinedPath(folder, "quantize_config.json")) { return fields }
        guard let fields = try readConfig(ifPresent: joinedPath(folder, "quant_config.json")) else { return nil }
        return fields.has("quant_method") ? fields : fields.adding("quant_method", "awq")
    }
}

extension ModelConfig {
    /// The architecture that the configuration at a model's path names; nil where there is no configuration.
    package static func architecture(ifPresentAt path: String) throws(CheckpointError) -> String? {
        let place = try ModelPath(path)
        if try !place.hasFile("config.json"), try place.gguf() == nil { return nil }
        let source = try ModelConfigSource(modelPath: path)
        return try Architecture.of(ConfigFields(file: source.file, members: source.members)).name
    }
}
