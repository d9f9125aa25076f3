package import ChildRuntime
internal import Glibc
internal import JSON
internal import Logging
internal import Messages
internal import Models
internal import Scheduling
package import ServerSettings
internal import Tensors
internal import TokenizerSource
internal import Tokenizers
internal import Transport
internal import Values

/// Runs a model worker: loads the model, says what it is, and serves until it is told to stop.
///
/// Errors during start-up are one line on stderr that names the file and the place; the process then ends with status 1.
package func runModelWorker(identity: ChildIdentity, settings: ServerSettings) throws {
    let started = monotonicMilliseconds()
    let suffix = identity.size > 1 ? "TP\(identity.rank)" : ""
    let log = LineLogHandler.logger(label: "scheduler", level: settings.logLevel.rawValue, suffix: suffix)
    let context = Context()
    let stamp = ProgressStamp()
    let fronts = FrontBoard()
    let line = try SupervisionLine(identity, context: context, stamp: stamp) { order in
        if case .topology(let topology) = order.order { fronts.update(topology) }
    }
    line.progress("model", 0)
    let group = try joinRanks(identity, settings, log)
    let loaded = try LoadedModel(settings, group: group, log: log) { line.progress("weights", $0) }
    guard identity.rank == 0 else {
        line.ready()
        RankLoop(model: loaded.model, compute: loaded.compute, link: loaded.link!, stamp: stamp).run()
    }
    let tokenizer = try openTokenizer(settings, TokenizerMemory(descriptor: ChildIdentity.tokenizerDescriptor))
    var endIDs = loaded.model.config.eosTokenIDs.map { Int32($0) }
    if let tokenizer { endIDs += tokenizer.eosIDs }
    var loop = try WorkerLoop(
        identity: identity, settings: settings, loaded: loaded, tokenizer: tokenizer,
        endIDs: Array(Set(endIDs)).sorted(),
        stamp: stamp, log: log, context: context, board: fronts)
    line.ready(loaded.facts(endIDs: endIDs, seconds: Double(monotonicMilliseconds() - started) / 1000))
    try loop.run()
}

/// Opens what the ranks of a group share; nil for a rank alone.
///
/// A rank that misses a meeting has left the others with half a sum, so the group ends and is started again as one.
private func joinRanks(_ identity: ChildIdentity, _ settings: ServerSettings, _ log: Logger) throws -> Collectives? {
    guard identity.size > 1 else { return nil }
    let patience = settings.watchdogTimeout
    let group = Collectives(
        descriptor: ChildIdentity.groupDescriptor, rank: identity.rank, size: identity.size, patience: patience
    ) { missing in
        log.error("Rank \(missing) did not come to a sum of the step within \(patience) s")
        exit(ChildIdentity.missingRankExit)
    }
    guard let group else { throw StartError.noGroup }
    return group
}

/// A model in memory and how much it may hold.
struct LoadedModel {
    let model: any LanguageModel
    let compute: Compute
    let dtype: DType
    /// What the scheduler may use; rank 0's business.
    let limits: SchedulerLimits
    /// The other ranks; nil for a rank alone.
    let link: RankLink?
    let weightBytes: UInt64
    /// Bytes of the KV pool over all ranks.
    let kvBytes: UInt64

    init(_ settings: ServerSettings, group: Collectives?, log: Logger, progress: (Double) -> Void) throws {
        let overrides = try JSON.parse(settings.jsonModelOverrideArgs)
        let config = try ModelConfig.load(modelPath: settings.modelPath, overrides: overrides)
        // A file of quantized blocks names no type to compute in; bfloat16 is what the vector units multiply fastest.
        dtype =
            settings.dtype == .auto && config.checkpointDType == nil
            ? .bfloat16 : config.resolvedDType(flag: settings.dtype)
        let rank = ShardRank(index: group?.rank ?? 0, count: group?.size ?? 1)
        let bytesPerSlot = try KeyValueStore.bytesPerSlot(
            config, dtype: settings.kvCacheDType.resolved(for: dtype), ranks: rank.count)
        var slots = 0
        if rank.index == 0 {
            slots = try Self.slots(
                settings, bytesPerSlot: bytesPerSlot,
                weights: Self.expectedWeightBytes(config, dtype, Self.quantization(settings)))
        }
        if let group { slots = try Self.agree(on: slots, group, settings, config) }
        limits = try Self.limits(settings, config, slots: slots)
        kvBytes = UInt64(bytesPerSlot) * UInt64(limits.storeRows)
        let products = ProductKind(dtype, isQuantized: settings.quantization != nil)
        compute = try Self.makeCompute(settings, rank: rank, products, log)
        let comparison = settings.kernelRates.map { " (a thread of each rung: \($0.comparison(for: products)))" } ?? ""
        log.info(
            "Compute in \(dtype) with \(compute.isa.name) kernels\(comparison) on \(compute.threads) threads; KV pool of \(limits.usableSlots) tokens"
        )
        link = group.map { RankLink(group: $0) }
        model = try loadModel(
            LoadOptions(
                modelPath: settings.modelPath, config: config, dtype: dtype,
                quantization: Self.quantization(settings), kvCacheDType: settings.kvCacheDType,
                loadFormat: settings.loadFormat, cacheDirectory: settings.weightCacheDirectory,
                limits: Self.forwardLimits(limits), rank: rank, group: group, compute: compute),
            progress: progress)
        weightBytes = UInt64(model.weightsSource.byteCount)
        if let note = model.weightsSource.note { log.info("\(note)") }
    }

    /// KV slots that the operator or the machine's memory allows.
    private static func slots(_ settings: ServerSettings, bytesPerSlot: Int, weights: UInt64) throws -> Int {
        if let asked = settings.maxTotalTokens { return asked }
        let budget = MemoryBudget.current()
        let slots = budget.slots(
            bytesPerSlot: bytesPerSlot, weightBytes: weights, fraction: settings.memFractionStatic)
        guard let slots else { throw StartError.noRoom(weights: weights, available: budget.available) }
        return slots
    }

    /// Rank 0 decides how large the pool is, since each rank would measure other numbers, and sizes what they share.
    private static func agree(
        on slots: Int, _ group: Collectives, _ settings: ServerSettings, _ config: ModelConfig
    ) throws -> Int {
        guard group.rank == 0 else {
            guard let terms = group.accept() else { throw StartError.noGroup }
            return Int(terms[0])
        }
        let limits = forwardLimits(try limits(settings, config, slots: slots))
        let slotCount = try ShardPlan.slotCount(config, limits: limits, ranks: group.size)
        guard group.offer(terms: [UInt64(slots)], planBytes: RankLink.planBytes(limits), slotCount: slotCount) else {
            throw StartError.noGroup
        }
        return slots
    }

    private static func limits(_ settings: ServerSettings, _ config: ModelConfig, slots: Int) throws -> SchedulerLimits
    {
        let length = try config.contextLength(flag: settings.contextLength, allowsLonger: false)
        return SchedulerLimits(settings, slots: slots, contextLength: length)
    }

    /// What the model must be able to do in one step to serve the scheduler.
    private static func forwardLimits(_ limits: SchedulerLimits) -> ForwardLimits {
        let rows = limits.chunkTokens + limits.maxRunning
        return ForwardLimits(
            rows: rows, logitRows: min(rows, 64), sequences: limits.maxRunning, slots: limits.storeRows,
            positions: limits.contextLength)
    }

    private static func makeCompute(
        _ settings: ServerSettings, rank: ShardRank, _ products: ProductKind, _ log: Logger
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

    private static func quantization(_ settings: ServerSettings) -> Quantization {
        Quantization(
            settings.quantization, groupSize: settings.int4GroupSize, headBits: settings.int4HeadBits)
    }

    /// Bytes of the packed weights, nearly, before anything is read.
    private static func expectedWeightBytes(
        _ config: ModelConfig, _ dtype: DType, _ quantization: Quantization
    ) -> UInt64 {
        let heads = (config.headCount * 2 + config.keyValueHeadCount * 2) * config.headDimension
        let layers = Double(config.layerCount * config.hiddenSize * (heads + 3 * config.intermediateSize))
        let table = Double(config.vocabularySize * config.hiddenSize)
        let plain = Double(dtype.size)
        let (layer, head) =
            switch quantization {
            case .none: (plain, plain)
            case .w8a8Int8: (1.0, 1.0)
            // Half a byte, and a scale and a minimum of two bytes each for a group.
            case .int4(let group, let headBits): (0.5 + 4 / Double(group), headBits == 8 ? 1 : 0.5 + 4 / Double(group))
            }
        // An embedding table of its own is looked up, not multiplied, and stays as it is.
        return UInt64(layers * layer + table * head + (config.tiesWordEmbeddings ? 0 : table * plain))
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
        }
    }
}

/// Why a worker cannot start although its files are good.
enum StartError: Error, CustomStringConvertible {
    case noRoom(weights: UInt64, available: UInt64)
    /// An operator bound threads to a core that this process may not use.
    case noCore(Int, available: [Int])
    /// The memory that the ranks share could not be had, or rank 0 did not come.
    case noGroup

    var description: String {
        switch self {
        case .noCore(let core, let available):
            "--cpu-bind names core \(core), which this server may not use; it has \(available.map(String.init).joined(separator: ","))"
        case .noGroup: "The ranks did not come together: no shared memory, or rank 0 is missing."
        case .noRoom(let weights, let available):
            "Not enough memory for the KV cache: the weights take \(weights >> 20) MiB and \(available >> 20) MiB are available. "
                + "Raise --mem-fraction-static or set --max-total-tokens."
        }
    }
}
