/// Which safetensors files of a folder are the model's weights, and which lie beside them.
///
/// An index decides; else files under Hugging Face's names (`model.safetensors`, or the parts of a split one), else all but
/// Mistral's second copy in its own naming. Hidden files, adapters and left-overs of training are never weights.
struct SafetensorsFolder {
    private let path: String
    private let index: String?
    /// The weight files when there is no index.
    private let names: [String]
    /// Files that are safetensors and no weights.
    let passedOver: [String]
    /// Files of the modules behind the network, with what stands before their tensors' names.
    private let modules: [String: String]

    /// Looks at a folder's names; `head` lies beside the weights.
    init(_ path: String, head: HeadFile? = nil) throws(CheckpointError) {
        self.path = path
        let index = joinedPath(path, "model.safetensors.index.json")
        self.index = fileExists(index) ? index : nil
        let files = try folderEntries(path).filter { $0.hasSuffix(".safetensors") && !$0.hasPrefix(".") }
        names = SafetensorsFolder.weights(among: files)
        let names = Set(self.names)
        let dense = try SentenceModules.entries(folder: path).filter { $0.type == "Dense" && !$0.folder.isEmpty }
        var modules: [String: String] = [:]
        for entry in dense {
            if let file = entry.weights(in: path) { modules[file] = entry.prefix }
        }
        if let head { modules[try head.path(in: path)] = head.prefix }
        self.modules = modules
        passedOver = self.index == nil ? files.filter { !names.contains($0) } : []
    }

    /// Whether the folder has weights in this format.
    var hasWeights: Bool { index != nil || !names.isEmpty }

    /// Opens the weights; nil when there are none.
    func checkpoint() throws(CheckpointError) -> SafetensorsCheckpoint? {
        if let index { return try indexed(index) }
        guard !names.isEmpty else { return nil }
        var warnings: [String] = []
        if !passedOver.isEmpty {
            warnings = [
                "\(printable(path)): \(passedOver.count) file(s) beside the weights not read: \(listed(passedOver))"
            ]
        }
        return try open(names.map { joinedPath(path, $0) }, warnings: warnings)
    }

    private func open(_ files: [String], warnings: [String] = []) throws(CheckpointError) -> SafetensorsCheckpoint {
        try SafetensorsCheckpoint(
            files: files + modules.keys.sorted(), path: path, warnings: warnings, prefixes: modules)
    }

    /// Opens the files that an index names. A tensor that is not where the index says is passed over: what the model needs
    /// it will miss, and the rest are stale entries.
    private func indexed(_ index: String) throws(CheckpointError) -> SafetensorsCheckpoint {
        let root = ConfigFields(file: index, members: try readJSONFile(index))
        guard let map = try root.object("weight_map") else {
            throw .badConfig(file: index, key: "weight_map", reason: "is absent")
        }
        var shards: Set<String> = []
        var homes: [(tensor: String, shard: String)] = []
        for tensor in map.keys {
            let shard = try map.string(tensor) ?? ""
            guard !shard.isEmpty, !shard.contains("/"), shard != "..", !shard.utf8.contains(0) else {
                throw .badConfig(file: index, key: "weight_map.\(tensor)", reason: "is no file name")
            }
            shards.insert(shard)
            homes.append((tensor, shard))
        }
        let names = shards.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
        let missing = names.filter { !fileExists(joinedPath(path, $0)) }
        guard missing.isEmpty else { throw .missingShards(index: index, names: missing) }
        let files = names.map { joinedPath(path, $0) }
        let found = try open(files)
        let stale = homes.filter { home in
            found.tensors[home.tensor]?.file != joinedPath(path, home.shard) && found.unreadable[home.tensor] == nil
        }
        guard !stale.isEmpty else { return found }
        let list = listed(stale.map(\.tensor).sorted())
        return try open(
            files,
            warnings: ["\(printable(index)): \(stale.count) tensor(s) not where it says: \(list)"])
    }

    /// The weight files among the safetensors files of a folder without an index.
    private static func weights(among files: [String]) -> [String] {
        let leftOvers = ["adapter", "optimizer", "training_args", "scheduler", "scaler", "random_states", "rng_state"]
        let candidates = files.filter { name in !leftOvers.contains { name.hasPrefix($0) } }
        if candidates.contains("model.safetensors") { return ["model.safetensors"] }
        let parts = candidates.filter { $0.hasPrefix("model-") && $0.contains("-of-") }
        if !parts.isEmpty { return parts }
        let others = candidates.filter { !$0.hasPrefix("consolidated") }
        return others.isEmpty ? candidates : others
    }
}

/// A file beside a model's weights with the tensors of a head, which operators name.
struct HeadFile: Sendable, Equatable {
    /// Its name in the model's folder.
    let name: String
    /// What stands before the names of its tensors.
    let prefix: String

    /// Its path in a folder; throws where it is not.
    func path(in folder: String) throws(CheckpointError) -> String {
        guard !name.contains("/"), name != "..", !name.utf8.contains(0) else {
            throw .unreadable(path: name, reason: "is no name of a file in the model's folder")
        }
        let path = joinedPath(folder, name)
        guard fileExists(path) else { throw .unreadable(path: path, reason: systemReason()) }
        return path
    }
}
