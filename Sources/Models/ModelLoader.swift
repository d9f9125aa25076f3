package import Tensors
package import Values

/// What to load, into what, and for how much work at a time.
package struct LoadOptions {
    /// Model folder or weight file.
    package var modelPath: String
    /// The checkpoint's configuration, read with `ModelConfig.load`.
    package var config: ModelConfig
    /// Type of activations, and of weights that are not quantized.
    package var dtype: DType
    /// How weights are rounded when they are packed.
    package var quantization: Quantization
    /// Type of the key-value cache.
    package var kvCacheDType: KVCacheDType
    /// How to look at the path; `.dummy` invents the weights and needs only a configuration file.
    package var loadFormat: LoadFormat
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

    /// States what to load.
    package init(
        modelPath: String, config: ModelConfig, dtype: DType, quantization: Quantization = .none,
        kvCacheDType: KVCacheDType = .auto, loadFormat: LoadFormat = .auto, cacheDirectory: String? = nil,
        limits: ForwardLimits, rank: ShardRank = .only, group: Collectives? = nil, compute: Compute
    ) {
        precondition(group?.size ?? 1 == rank.count && group?.rank ?? 0 == rank.index, "the group has this rank")
        self.modelPath = modelPath
        self.config = config
        self.dtype = dtype
        self.quantization = quantization
        self.kvCacheDType = kvCacheDType
        self.loadFormat = loadFormat
        self.cacheDirectory = cacheDirectory
        self.limits = limits
        self.rank = rank
        self.group = group
        self.compute = compute
    }
}

/// Version of the packed form of weights: raise it whenever a kernel reads other bytes, a matrix is fused otherwise, or
/// its name changes.
private let packedLayoutVersion = 1

/// Opens a checkpoint, checks that it has exactly the model's tensors in their shapes, packs them or maps packed ones,
/// and reserves cache and scratch memory.
///
/// `progress` gets fractions up to 1 on the calling thread. Every error names a file, key or tensor; nothing is left
/// behind.
package func loadModel(
    _ options: LoadOptions, progress: (Double) -> Void = { _ in }
) throws(CheckpointError) -> any LanguageModel {
    let config = options.config
    try checkSupport(options)
    let checkpoint = try openCheckpoint(options.modelPath, options.loadFormat)
    let binder = WeightBinder(checkpoint, tiedEmbeddings: config.tiesWordEmbeddings)
    let shard = try ShardPlan(config, rank: options.rank, modelPath: options.modelPath)
    let plan = WeightPlan(
        binder, config: config, dtype: options.dtype, quantization: options.quantization, shard: shard,
        modelPath: options.modelPath)
    let decoder = try ModelRegistry.makeDecoder(WeightScope(plan: plan, prefix: ""))
    try binder.finish()

    let key = PackedWeightsKey(
        checkpoint: checkpoint.identity, layoutVersion: packedLayoutVersion, dtype: options.dtype,
        rank: options.rank.index, size: options.rank.count, kinds: [config.architecture, options.quantization.name])
    let packed = try PackedWeights.open(key: key, directory: options.cacheDirectory, sections: plan.sections) {
        memory throws(CheckpointError) in
        try plan.pack(into: memory, threads: options.compute.threads, progress: progress)
    }
    let model = try CausalLM(
        decoder, plan: plan, weights: WeightStore(plan, packed),
        cacheDType: options.kvCacheDType.resolved(for: options.dtype), compute: options.compute,
        limits: options.limits, group: options.group)
    progress(1)
    return model
}

/// Refuses, with the key's name, what a configuration may ask for and the layers do not do.
private func checkSupport(_ options: LoadOptions) throws(CheckpointError) {
    let config = options.config
    func bad(_ key: String, _ reason: String) -> CheckpointError {
        .badConfig(file: options.modelPath, key: key, reason: reason)
    }
    if let method = config.quantizationMethod, !["w8a8_int8", "compressed-tensors", "gguf"].contains(method) {
        throw bad("quantization_config.quant_method", "`\(method)` is not supported; w8a8_int8 and GGUF files are")
    }
    guard config.activation == "silu" else {
        throw bad("hidden_act", "`\(config.activation)` is not supported; only `silu` is")
    }
    let size = config.headDimension
    guard size % 8 == 0, (8...256).contains(size) else {
        throw bad("head_dim", "\(size) is not supported; it must be a multiple of 8 up to 256")
    }
    let (queries, keyValues) = (config.headCount, config.keyValueHeadCount)
    guard keyValues > 0, queries % keyValues == 0, queries / keyValues <= 64 else {
        throw bad(
            "num_key_value_heads",
            "\(queries) query heads do not share \(keyValues) key-value heads evenly, 64 each at most")
    }
    guard config.rope.rotaryDimension % 2 == 0, (2...size).contains(config.rope.rotaryDimension) else {
        throw bad(
            "partial_rotary_factor", "\(config.rope.rotaryDimension) of \(size) elements cannot be rotated in pairs")
    }
}
