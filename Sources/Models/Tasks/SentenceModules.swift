import JSON

/// What sentence-transformers' files in a model folder say: how rows are pooled, and what follows (Reimers and Gurevych
/// 2019, arXiv:1908.10084).
struct SentenceModules {
    /// What happens to a pooled vector.
    enum Module: Equatable {
        /// A product with the tensors `NAME.weight` and `NAME.bias`.
        case dense(name: String, inputs: Int, outputs: Int, hasBias: Bool, Activation)
        /// It becomes a unit vector.
        case normalize
    }

    /// How rows are pooled; nil when no file says it.
    private(set) var pooling: Pooling?
    /// What follows, in order.
    private(set) var modules: [Module] = []
    /// To how many tokens a text is cut.
    private(set) var maxTokens: Int?
    /// Whether pooling takes the prompt that stands before a text like the rest of it.
    private(set) var includesPrompt = true

    /// Reads `modules.json`, the files it names, and `sentence_bert_config.json`; none of them need be there.
    init(modelPath: String) throws(CheckpointError) {
        let place = try ModelPath(modelPath)
        guard place.kind == .folder else { return }
        if let config = try readConfig(ifPresent: joinedPath(place.folder, "sentence_bert_config.json")) {
            maxTokens = try config.integer("max_seq_length", in: 1...ModelConfig.positionLimit)
        }
        for entry in try Self.entries(folder: place.folder) { try add(entry, in: place.folder) }
    }

    /// A line of `modules.json`: the last part of a type's name, and the folder with its files.
    struct Entry: Equatable {
        let type: String
        let folder: String

        /// What stands before the names of its tensors.
        var prefix: String { folder.replacing("/", with: ".") + "." }

        /// The file with its tensors in a model's folder; nil where there is none.
        func weights(in model: String) -> String? {
            ["model.safetensors", "pytorch_model.bin"].map { joinedPath(model, folder + "/" + $0) }.first(
                where: fileExists)
        }
    }

    /// The modules that a folder's `modules.json` lists.
    static func entries(folder: String) throws(CheckpointError) -> [Entry] {
        let file = joinedPath(folder, "modules.json")
        guard fileExists(file) else { return [] }
        guard let list = try readJSONValue(file).arrayValue else {
            throw .malformed(file: file, place: "JSON", reason: "is no list of modules")
        }
        var entries: [Entry] = []
        for (index, value) in list.enumerated() {
            guard let fields = ConfigFields(file: file, path: "\(index)", value: value) else {
                throw .malformed(file: file, place: "element \(index)", reason: "is no object")
            }
            guard let type = try fields.string("type") else { throw fields.error("type", "is absent") }
            let folder = try fields.string("path") ?? ""
            guard !folder.hasPrefix("/"), !folder.split(separator: "/").contains(".."), !folder.utf8.contains(0) else {
                throw fields.error("path", "leads out of the model's folder")
            }
            entries.append(Entry(type: String(type.split(separator: ".").last ?? ""), folder: folder))
        }
        return entries
    }

    private mutating func add(_ entry: Entry, in folder: String) throws(CheckpointError) {
        let config = joinedPath(folder, entry.folder + "/config.json")
        switch entry.type {
        case "Transformer", "Dropout": break
        case "Normalize": modules.append(.normalize)
        case "Pooling":
            guard pooling == nil, modules.isEmpty else {
                throw .unsupported(file: joinedPath(folder, "modules.json"), place: "Pooling", reason: "comes late")
            }
            let fields = ConfigFields(file: config, members: try readJSONFile(config))
            pooling = try Self.pooling(fields)
            includesPrompt = try fields.boolean("include_prompt") ?? true
        case "Dense":
            let fields = ConfigFields(file: config, members: try readJSONFile(config))
            guard entry.weights(in: folder) != nil else {
                throw .unreadable(path: joinedPath(folder, entry.folder + "/model.safetensors"), reason: "no such file")
            }
            modules.append(
                .dense(
                    name: entry.prefix + "linear",
                    inputs: try fields.requiredInteger("in_features", in: 1...(1 << 20)),
                    outputs: try fields.requiredInteger("out_features", in: 1...(1 << 20)),
                    hasBias: try fields.boolean("bias") ?? true,
                    try Activation(fields, "activation_function") ?? .tanh))
        default:
            throw .unsupported(
                file: joinedPath(folder, "modules.json"), place: "type `\(printable(entry.type))`",
                reason: "is not supported; supported: Transformer, Pooling, Dense, Normalize, Dropout")
        }
    }

    /// One mode, in either dialect of the file.
    private static func pooling(_ fields: ConfigFields) throws(CheckpointError) -> Pooling {
        var names: [String] = []
        if fields.isList("pooling_mode") {
            names = try fields.strings("pooling_mode") ?? []
        } else if let name = try fields.string("pooling_mode") {
            names = [name]
        } else {
            let flags = [
                ("cls_token", "cls"), ("max_tokens", "max"), ("mean_tokens", "mean"),
                ("mean_sqrt_len_tokens", "mean_sqrt_len_tokens"), ("weightedmean_tokens", "weightedmean"),
                ("lasttoken", "lasttoken"),
            ]
            for (key, name) in flags where try fields.boolean("pooling_mode_" + key) ?? false { names.append(name) }
        }
        guard names.count == 1 else {
            throw fields.error(
                "pooling_mode",
                names.isEmpty ? "names no mode" : "names several modes, which are not supported together")
        }
        guard let pooling = Pooling(sentenceTransformers: names[0]) else {
            throw fields.error("pooling_mode", "`\(printable(names[0]))` is not a mode")
        }
        return pooling
    }
}
