internal import ChildRuntime
internal import JSON
internal import Logging
internal import Messages
internal import Models
internal import Scheduling
internal import ServerSettings
internal import Tensors
internal import Values

/// A model in memory and how much it may hold.
struct ServedModel {
    let model: any LanguageModel
    let compute: Compute
    let dtype: DType
    /// What the scheduler may use; rank 0's business.
    let limits: SchedulerLimits
    /// The other ranks; nil for a rank alone.
    let link: RankLink?
    /// How orders change its weights and its cache.
    let weights: RankWeights
    /// Which weights these are.
    let served: ServedWeights
    let weightBytes: UInt64
    /// Bytes of the KV pool over all ranks.
    let kvBytes: UInt64

    /// Loads what the server was started with, or what took its place: `served`. The configuration is always that of the start.
    init(
        _ settings: WorkerSettings, served written: ServedWeights?, group: Collectives?, log: Logger,
        progress: (Double) -> Void
    ) throws {
        let overrides = try JSON.parse(settings.jsonModelOverrideArgs)
        let config = try ModelConfig.load(modelPath: settings.modelPath, overrides: overrides)
        try config.check(settings.quantization)
        let choice = TaskSettings(
            isEmbedding: settings.isEmbedding, pooler: settings.poolerType, rule: settings.poolingRule,
            sparseHead: settings.sparseHead)
        let task = try ModelTask.of(config, modelPath: settings.modelPath, settings: choice)
        if task.kind == .generation, settings.poolerType != .auto || settings.poolingRule != .checkpoint {
            throw StartError.nothingToPool(config.architecture)
        }
        // A file of quantized blocks names no type to compute in; bfloat16 is what the vector units multiply fastest.
        dtype =
            settings.dtype == .auto && config.checkpointDType == nil
            ? .bfloat16 : config.resolvedDType(flag: settings.dtype)
        let rank = ShardRank(index: group?.rank ?? 0, count: group?.size ?? 1)
        let served = written ?? Self.launched(settings)
        self.served = served
        let source = ModelSource(
            served.path, config: config, dtype: dtype, quantization: Self.quantization(settings, config),
            loadFormat: LoadFormat(rawValue: served.loadFormat) ?? settings.loadFormat,
            isStrict: settings.strictWeights, task: choice)
        let sizes = try ModelSizes(source, kvCacheDType: settings.kvCacheDType, ranks: rank.count)
        let window = Self.window(settings, sizes, config, task)
        var slots = 0
        if rank.index == 0 {
            let routes = settings.enableReturnRoutedExperts ? sizes.experts.map(RouteMemory.bytesPerSlot) ?? 0 : 0
            let least = window == nil ? 0 : Int(Double(sizes.windowBytesPerSlot) * (1 - settings.swaFullTokensRatio))
            let slotBytes = max(1, sizes.bytesPerSlot - least) + routes
            // What an earlier process of the server had room for has room still: it is there.
            slots =
                try Self.keptSlots(settings)
                ?? Self.slots(settings, bytesPerSlot: slotBytes, weights: UInt64(sizes.weightBytes))
        }
        if let group { slots = try Self.agree(on: slots, served.number, group, settings, config, task, window) }
        limits = try Self.limits(settings, config, task, window, slots: slots)
        let (windowed, whole) = (sizes.windowBytesPerSlot, sizes.bytesPerSlot - sizes.windowBytesPerSlot)
        kvBytes = UInt64(whole * limits.storeRows + windowed * (limits.windowStoreRows ?? limits.storeRows))
        let products = ProductKind(dtype, isQuantized: sizes.isQuantized)
        compute = try Self.makeCompute(settings, rank: rank, products, log)
        let comparison = settings.kernelRates.map { " (a thread of each rung: \($0.comparison(for: products)))" } ?? ""
        log.info(
            "Compute in \(dtype) with \(compute.isa.name) kernels\(comparison) on \(compute.threads) threads; KV pool of \(limits.usableSlots) tokens\(limits.window.map { ", \($0.slots) of them in layers with a window of \($0.positions)" } ?? "")"
        )
        link = group.map { RankLink(group: $0) }
        var options = LoadOptions(
            source, kvCacheDType: settings.kvCacheDType, cacheDirectory: settings.weightCacheDirectory,
            limits: Self.forwardLimits(limits), rank: rank, group: group, compute: compute)
        if limits.keepsBook { options.cacheMemory = ChildIdentity.cacheDescriptor }
        model = try loadModel(options, progress: progress)
        weights = RankWeights(model, source: source, rank: rank, cacheDirectory: settings.weightCacheDirectory)
        weightBytes = UInt64(model.report.byteCount)
        if let note = model.report.note { log.info("\(note)") }
        if rank.index == 0 { for warning in model.report.warnings { log.warning("\(warning)") } }
    }

    /// The weights of the start.
    private static func launched(_ settings: WorkerSettings) -> ServedWeights {
        .make {
            $0.path = settings.modelPath
            $0.loadFormat = settings.loadFormat.rawValue
        }
    }

    /// KV slots that the operator or the machine's memory allows.
    private static func slots(_ settings: WorkerSettings, bytesPerSlot: Int, weights: UInt64) throws -> Int {
        let budget = MemoryBudget.current()
        if let asked = settings.maxTotalTokens {
            try budget.check(slots: asked, bytesPerSlot: bytesPerSlot, weightBytes: weights)
            return asked
        }
        let slots = budget.slots(
            bytesPerSlot: bytesPerSlot, weightBytes: weights, fraction: settings.memFractionStatic)
        guard let slots else { throw StartError.noRoom(weights: weights, available: budget.available) }
        return slots
    }

    /// Rank 0 decides how large the pool is, since each rank would measure other numbers, and sizes what they share.
    private static func agree(
        on slots: Int, _ weights: UInt64, _ group: Collectives, _ settings: WorkerSettings, _ config: ModelConfig,
        _ task: ModelTask, _ window: Int?
    ) throws -> Int {
        guard group.rank == 0 else {
            guard let terms = group.accept() else { throw StartError.noGroup }
            guard terms[1] == weights else { throw StartError.otherWeights }
            return Int(terms[0])
        }
        let limits = forwardLimits(try limits(settings, config, task, window, slots: slots))
        let slotCount = try ShardPlan.slotCount(config, limits: limits, ranks: group.size)
        guard
            group.offer(
                terms: [UInt64(slots), weights], planBytes: RankLink.planBytes(limits, hiddenSize: config.hiddenSize),
                slotCount: slotCount)
        else {
            throw StartError.noGroup
        }
        return slots
    }

    private static func limits(
        _ settings: WorkerSettings, _ config: ModelConfig, _ task: ModelTask, _ window: Int?, slots: Int
    ) throws -> SchedulerLimits {
        let length = min(try config.contextLength(flag: settings.contextLength), task.maxTokens)
        var limits = SchedulerLimits(settings, slots: slots, contextLength: length, task: task)
        limits.window = window.map {
            WindowLimits(positions: $0, beside: limits, ratio: settings.swaFullTokensRatio)
        }
        limits.keepsBook = keepsCache(settings) && limits.usesPrefixCache
        return limits
    }

    /// The prefix cache outlives this process. Which experts cached tokens took is known to this one alone.
    private static func keepsCache(_ settings: WorkerSettings) -> Bool { !settings.enableReturnRoutedExperts }

    /// Slots of the pool that the process before this one has left.
    private static func keptSlots(_ settings: WorkerSettings) -> Int? {
        keepsCache(settings) ? SlotKeepsake.slots(descriptor: ChildIdentity.slotsDescriptor) : nil
    }

    /// The window whose layers have slots of their own; nil where none has one that is shorter than the context, where all texts
    /// are computed at once, and where the operator wants none.
    private static func window(
        _ settings: WorkerSettings, _ sizes: ModelSizes, _ config: ModelConfig, _ task: ModelTask
    ) -> Int? {
        guard !settings.disableHybridSWAMemory, !task.wholePrompts, let window = sizes.window,
            let length = try? config.contextLength(flag: settings.contextLength), window < length
        else { return nil }
        return window
    }

    /// What the model must be able to do in one step to serve the scheduler.
    private static func forwardLimits(_ limits: SchedulerLimits) -> ForwardLimits {
        let rows = limits.chunkTokens + limits.maxRunning
        return ForwardLimits(
            rows: rows, logitRows: min(rows, 64), sequences: limits.maxRunning, slots: limits.storeRows,
            windowSlots: limits.windowStoreRows, positions: limits.contextLength)
    }

    private static func makeCompute(
        _ settings: WorkerSettings, rank: ShardRank, _ products: ProductKind, _ log: Logger
    ) throws -> Compute {
        let ceiling = settings.kernelISA ?? settings.kernelRates?.fastest(for: products) ?? .avx512bf16
        let available = Compute.availableCores()
        if let bound = settings.cpuBind?.ranks, let core = bound.joined().first(where: { !available.contains($0) }) {
            throw StartError.noCore(core, available: available)
        }
        let machine = Cores.current(available: available)
        let plan = CorePlan(
            machine, rank: rank.index, ranks: rank.count, threads: settings.cpuThreadsPerRank,
            binding: settings.cpuBind?.ranks)
        if plan.cores == nil {
            log.warning(
                "\(rank.count) ranks of \(plan.threads) threads are more than \(machine.ordered.count) cores: threads are not pinned"
            )
        }
        if let first = plan.cores?.first { Compute.pinCallingThread(to: first) }
        return Compute(isa: KernelISA.detect(ceiling: ceiling), threads: plan.threads, cores: plan.cores)
    }

    private static func quantization(_ settings: WorkerSettings, _ config: ModelConfig) -> Quantization {
        let asked = Quantization(
            settings.quantization, groupSize: settings.int4GroupSize, headBits: settings.int4HeadBits)
        return config.quantization(asked: asked, dtype: settings.dtype)
    }

    /// What the engine must know of it.
    var traits: EngineTraits {
        var traits = EngineTraits(
            limits: limits, vocabularySize: model.config.vocabularySize, logitRows: model.limits.logitRows,
            task: model.task)
        traits.tokenTypeCount = model.config.tokenTypeCount
        traits.weightBytes = weightBytes
        traits.kvBytes = kvBytes
        traits.served = served
        traits.hiddenSize = model.config.hiddenSize
        traits.experts = model.experts
        return traits
    }

    /// What the other processes should know.
    func facts(endIDs: [Int32], seconds: Double) -> ModelFacts {
        .make {
            $0.contextLength = UInt32(limits.contextLength)
            $0.vocabularySize = UInt32(model.config.vocabularySize)
            $0.maxTotalTokens = UInt64(limits.usableSlots)
            $0.maxRequestInput = UInt32(limits.maxPromptLength)
            $0.maxRunning = UInt32(limits.maxRunning)
            $0.modelType = model.config.modelType
            $0.architectures = [model.config.architecture]
            $0.dtype = "\(dtype)"
            $0.kernelIsa = compute.isa.name
            $0.weightBytes = weightBytes
            $0.kvBytes = kvBytes
            $0.eosIds = endIDs
            $0.loadSeconds = seconds
            $0.chunkedPrefillSize = UInt32(limits.chunkTokens)
            $0.task = TaskFacts(model.task, limits)
        }
    }
}

extension TaskFacts {
    /// What the other processes should know of a task, served within these limits.
    fileprivate init(_ task: ModelTask, _ limits: SchedulerLimits) {
        self.init()
        switch task.kind {
        case .generation: kind = .generation
        case .embedding: kind = .embedding
        case .crossEncoder: kind = .crossEncoder
        case .classification: kind = .classification
        }
        // A sparse vector has as many numbers as its text has tokens.
        width = task.isSparse ? 0 : UInt32(task.width)
        sparse = task.isSparse
        normalizes = task.normalizes
        matryoshka = task.matryoshka != nil
        dimensions = (task.matryoshka ?? []).map { UInt32($0) }
        labels = task.labels
        maxTokens = UInt32(min(limits.maxPromptLength, task.trainedTokens ?? Int.max))
        bidirectional = task.isBidirectional
        pooling = task.pooling
        sharesPrefixes = limits.usesPrefixCache
        cutsPrompts = limits.cutsPrompts
    }
}
