package import Tensors
package import Values

/// Which network, with which weights in which form.
package struct ModelSource: Sendable {
    /// Model folder or weight file.
    package var path: String
    /// The checkpoint's configuration, read with `ModelConfig.load`.
    package var config: ModelConfig
    /// Type of activations, and of weights that are not quantized.
    package var dtype: DType
    /// How weights are rounded when they are packed.
    package var quantization: Quantization
    /// How to look at the path; `.dummy` invents the weights and needs only a configuration file.
    package var loadFormat: LoadFormat
    /// Whether tensors that the model does not use are an error instead of a warning.
    package var isStrict: Bool
    /// What flags say about what the model is for.
    package var task: TaskSettings

    /// States what to load.
    package init(
        _ path: String, config: ModelConfig, dtype: DType, quantization: Quantization = .none,
        loadFormat: LoadFormat = .auto, isStrict: Bool = false, task: TaskSettings = TaskSettings()
    ) {
        self.path = path
        self.config = config
        self.dtype = dtype
        self.quantization = quantization
        self.loadFormat = loadFormat
        self.isStrict = isStrict
        self.task = task
    }
}

/// What to load, and for how much work at a time.
package struct LoadOptions {
    /// Which network and weights.
    package var source: ModelSource
    /// Type of the key-value cache.
    package var kvCacheDType: KVCacheDType
    /// Where packed weights are kept between runs; nil keeps them in memory only.
    package var cacheDirectory: String?
    /// Sizes of the cache and of the scratch memory.
    package var limits: ForwardLimits
    /// Which tensor-parallel rank this process is.
    package var rank: ShardRank
    /// How the ranks exchange what they computed; nil for one rank alone.
    package var group: Collectives?
    /// Kernels and threads, for loading and for running.
    package var compute: Compute
    /// Descriptor of the memory for the key-value cache, which outlives this process; nil: the process has its own.
    package var cacheMemory: Int32?

    /// States what to load.
    package init(
        _ source: ModelSource, kvCacheDType: KVCacheDType = .auto, cacheDirectory: String? = nil,
        limits: ForwardLimits, rank: ShardRank = .only, group: Collectives? = nil, compute: Compute
    ) {
        precondition(group?.size ?? 1 == rank.count && group?.rank ?? 0 == rank.index, "the group has this rank")
        self.source = source
        self.kvCacheDType = kvCacheDType
        self.cacheDirectory = cacheDirectory
        self.limits = limits
        self.rank = rank
        self.group = group
        self.compute = compute
    }
}

/// Version of the packed form of weights: raise it whenever a kernel reads other bytes, a matrix is fused otherwise, or
/// its name changes.
private let packedLayoutVersion = 2

/// Opens a checkpoint, checks that it has the model's tensors in their shapes, packs them or maps packed ones, and
/// reserves cache and scratch memory.
///
/// `progress` gets fractions up to 1 on the calling thread. Every error names a file, key or tensor; nothing is left
/// behind.
package func loadModel(
    _ options: LoadOptions, progress: (Double) -> Void = { _ in }
) throws(CheckpointError) -> any LanguageModel {
    let planned = try PlannedModel(options.source, rank: options.rank)
    let weights = try planned.prepare(
        cacheDirectory: options.cacheDirectory, threads: options.compute.threads, progress: progress)
    let model = try CausalLM(planned, weights, options)
    progress(1)
    return model
}

/// Packs weights for a model that runs with others: what `exchangeWeights` takes. Safe beside a model that computes.
///
/// `source` has the running model's configuration, so a checkpoint of another network is an error that names a tensor.
package func prepareWeights(
    _ source: ModelSource, rank: ShardRank = .only, cacheDirectory: String? = nil, threads: Int,
    progress: (Double) -> Void = { _ in }
) throws(CheckpointError) -> PreparedWeights {
    try PlannedModel(source, rank: rank)
        .prepare(cacheDirectory: cacheDirectory, threads: threads, progress: progress)
}

/// What a model takes, known from its plan before anything is read but the headers of its files. Sums over all ranks.
package struct ModelSizes: Sendable, Equatable {
    /// Bytes of the packed weights.
    package private(set) var weightBytes = 0
    /// Bytes of keys, values and scales of one cache slot over all layers.
    package private(set) var bytesPerSlot = 0
    /// Those of them in layers with a window.
    package private(set) var windowBytesPerSlot = 0
    /// Positions that a row sees in the layers with a window, of several the most; nil without such layers.
    package private(set) var window: Int?
    /// Whether products are mostly of bytes: quantized weights.
    package private(set) var isQuantized = false
    /// What the layers choose from; nil for a network without experts.
    package private(set) var experts: ExpertTraits?

    /// Plans every rank of a model; throws what loading it would throw for a tensor of another shape.
    package init(
        _ source: ModelSource, kvCacheDType: KVCacheDType = .auto, ranks: Int = 1
    ) throws(CheckpointError) {
        for index in 0..<ranks {
            let plan = try PlannedModel(source, rank: ShardRank(index: index, count: ranks)).plan
            experts = plan.experts
            weightBytes += try PackedLayout(plan.layout.sections).fileCount
            let plain = plan.layout.matrices.count { !$0.format.hasByteProducts }
            isQuantized = 2 * plain < plan.layout.matrices.count
            let dtype = kvCacheDType.resolved(for: source.dtype)
            let windowed = plan.caches.filter { $0.window != nil }
            bytesPerSlot += KeyValueStore.bytesPerSlot(plan.caches, dtype: dtype)
            windowBytesPerSlot += KeyValueStore.bytesPerSlot(windowed, dtype: dtype)
            window = windowed.compactMap(\.window).max()
        }
    }
}

/// A network over its checkpoint, before any number is read.
struct PlannedModel {
    let plan: ModelPlan
    let network: any Network
    let head: any Head
    let task: ModelTask
    private let source: ModelSource
    private let checkpoint: any Checkpoint
    private let warnings: [String]

    /// Builds the layers, each of which takes its tensors; throws for missing ones, those of another shape, and what the
    /// layers cannot compute.
    init(_ source: ModelSource, rank: ShardRank) throws(CheckpointError) {
        var source = source
        let config = source.config
        let architecture = try Architecture.of(config.fields)
        let answers = try AnswerPlan(config, modelPath: source.path, settings: source.task)
        let checkpoint = try openCheckpoint(
            source.path, source.loadFormat, config.storedQuantization, head: source.task.sparseHeadFile)
        // What was quantized before it was published runs in its own bits.
        let keepsBits =
            checkpoint is QuantizedCheckpoint || config.storedQuantization == .mxfp4 && source.dtype != .float32
        if keepsBits, source.quantization == .none { source.quantization = .stored }
        task = answers.task
        let needsHead = answers.pooling == nil
        let isPlain = config.storedQuantization == nil || config.storedQuantization == .turnedStacks
        guard source.quantization != .stored || checkpoint is GGUFCheckpoint || !isPlain else {
            throw .badConfig(
                file: source.path, key: "quantization",
                reason: "keeps a checkpoint's own bits, and this is neither a GGUF file nor quantized otherwise")
        }
        let binder = WeightBinder(checkpoint, ignoresHead: config.tiesWordEmbeddings || !needsHead)
        let plan = ModelPlan(
            source, binder, shard: try ShardPlan(config, rank: rank, modelPath: source.path),
            answersTokens: needsHead)
        let root = ModelScope(plan: plan, prefix: "")
        network = try architecture.network(root)
        head =
            needsHead
            ? try LanguageModelHead(
                root.at(architecture.headName), tiedTo: network.embedding, network.logitTerms)
            : try PooledHead(root, answers)
        let extra = try binder.finish()
        if let extra, source.isStrict || !checkpoint.toleratesExtraTensors { throw extra }
        warnings =
            config.warnings + checkpoint.warnings + (extra.map { ["\($0.description); not used"] } ?? [])
            + plan.unpacked.sorted { $0.key.rawValue < $1.key.rawValue }.map {
                "\($0.value) tensors of type \($0.key.rawValue) are unpacked to \(plan.dtype): this model or rank cuts or joins them otherwise"
            }
        self.plan = plan
        self.source = source
        self.checkpoint = checkpoint
    }

    /// Packs the weights, or maps packed ones.
    func prepare(
        cacheDirectory: String?, threads: Int, progress: (Double) -> Void
    ) throws(CheckpointError) -> PreparedWeights {
        let rank = plan.shard.rank
        let key = PackedWeightsKey(
            checkpoint: checkpoint.identity, layoutVersion: packedLayoutVersion, dtype: plan.dtype, rank: rank.index,
            size: rank.count,
            kinds: [plan.config.architecture, plan.quantization.name]
                + (task.kind == .generation ? [] : [task.kind.rawValue]))
        let layout = plan.layout
        let packed = try PackedWeights.open(key: key, directory: cacheDirectory, sections: layout.sections) {
            memory throws(CheckpointError) in
            try plan.pack(into: memory, threads: threads, progress: progress)
        }
        return PreparedWeights(
            layout: layout,
            origin: WeightOrigin(
                path: source.path, format: source.loadFormat, stored: source.config.storedQuantization,
                identity: checkpoint.identity, names: plan.names, head: source.task.sparseHeadFile),
            packed: packed,
            report: LoadReport(
                origin: packed.origin, byteCount: packed.byteCount, rowBytes: plan.rowBytes,
                layerParameters: plan.layerParameters, note: packed.note, warnings: warnings))
    }
}
