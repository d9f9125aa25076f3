internal import CPlatform
package import ChildRuntime
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

/// Runs a model worker: loads the model, says what it is, and serves until it is told to stop.
///
/// Errors during start-up are one line on stderr that names the file and the place; the process then ends with status 1.
package func runModelWorker(identity: ChildIdentity, settings: ServerSettings) throws {
    let started = monotonicMilliseconds()
    let suffix = identity.size > 1 ? "TP\(identity.rank)" : ""
    let log = LineLogHandler.logger(label: "scheduler", level: settings.logLevel.rawValue, suffix: suffix)
    let context = Context()
    let stamp = ProgressStamp()
    let line = try SupervisionLine(identity, context: context, stamp: stamp) { _ in }
    line.progress("model", 0)
    let loaded = try LoadedModel(settings, log: log) { line.progress("weights", $0) }
    let tokenizer = settings.skipTokenizerInit ? nil : try openTokenizer(settings)
    var endIDs = loaded.model.config.eosTokenIDs.map { Int32($0) }
    if let tokenizer { endIDs += tokenizer.eosIDs }
    var loop = try WorkerLoop(
        identity: identity, settings: settings, loaded: loaded, tokenizer: tokenizer,
        endIDs: Array(Set(endIDs)).sorted(),
        stamp: stamp, log: log, context: context)
    line.ready(loaded.facts(endIDs: endIDs, seconds: Double(monotonicMilliseconds() - started) / 1000))
    try loop.run()
}

/// A model in memory and how much it may hold.
struct LoadedModel {
    let model: any LanguageModel
    let compute: Compute
    let dtype: DType
    let limits: SchedulerLimits
    let weightBytes: UInt64
    let kvBytes: UInt64

    init(_ settings: ServerSettings, log: Logger, progress: (Double) -> Void) throws {
        let overrides = try JSON.parse(settings.jsonModelOverrideArgs)
        let config = try ModelConfig.load(modelPath: settings.modelPath, overrides: overrides)
        let flag = DTypeFlag(rawValue: settings.dtype.rawValue) ?? .auto
        // A file of quantized blocks names no type to compute in; bfloat16 is what the vector units multiply fastest.
        dtype = flag == .auto && config.checkpointDType == nil ? .bfloat16 : config.resolvedDType(flag: flag)
        let length = try config.contextLength(flag: settings.contextLength, allowsLonger: false)
        let ceiling = settings.kernelISA.flatMap { KernelISA(name: $0.rawValue) } ?? .avx512bf16
        let threads = settings.cpuThreadsPerRank ?? max(1, Int(platform_usable_cores()) / settings.tensorParallelSize)
        compute = Compute(isa: KernelISA.detect(ceiling: ceiling), threads: threads)
        let bytesPerSlot = try KeyValueStore.bytesPerSlot(config, dtype: CacheDType(dtype))
        let expected = Self.expectedWeightBytes(config, dtype)
        let budget = MemoryBudget.current()
        guard
            let slots = settings.maxTotalTokens
                ?? budget.slots(bytesPerSlot: bytesPerSlot, weightBytes: expected, fraction: settings.memFractionStatic)
        else { throw StartError.noRoom(weights: expected, available: budget.available) }
        let running = settings.maxRunningRequests ?? max(1, min(256, slots / 2))
        let chunk = min(settings.chunkedPrefillSize ?? length, max(settings.maxPrefillTokens, 1))
        limits = SchedulerLimits(
            slots: slots, contextLength: length, maxRunning: running, maxQueued: settings.maxQueuedRequests,
            chunkTokens: chunk,
            logitRows: chunk + running, policy: settings.schedulePolicy == .lpm ? .lpm : .fcfs,
            conservativeness: settings.scheduleConservativeness, usesPrefixCache: !settings.disableRadixCache)
        kvBytes = UInt64(bytesPerSlot) * UInt64(slots + 1)
        log.info(
            "Compute in \(dtype) with \(compute.isa.name) kernels on \(threads) threads; KV pool of \(slots) tokens")
        model = try loadModel(
            LoadOptions(
                modelPath: settings.modelPath, config: config, dtype: dtype,
                loadFormat: Models.LoadFormat(rawValue: settings.loadFormat.rawValue) ?? .auto,
                cacheDirectory: settings.weightCacheDirectory,
                limits: ForwardLimits(
                    rows: chunk + running, logitRows: min(chunk + running, 64), sequences: running, slots: slots + 1,
                    positions: length),
                compute: compute),
            progress: progress)
        weightBytes = UInt64(model.weightsSource.byteCount)
        if let note = model.weightsSource.note { log.info("\(note)") }
    }

    /// Bytes of the packed weights, nearly, before anything is read.
    private static func expectedWeightBytes(_ config: ModelConfig, _ dtype: DType) -> UInt64 {
        let heads = (config.headCount * 2 + config.keyValueHeadCount * 2) * config.headDimension
        let layer = config.hiddenSize * (heads + 3 * config.intermediateSize)
        let table = config.vocabularySize * config.hiddenSize * (config.tiesWordEmbeddings ? 1 : 2)
        return UInt64((layer * config.layerCount + table) * dtype.size)
    }

    /// What the other processes should know.
    func facts(endIDs: [Int32], seconds: Double) -> ModelFacts {
        .make {
            $0.contextLength = UInt32(limits.contextLength)
            $0.vocabularySize = UInt32(model.config.vocabularySize)
            $0.maxTotalTokens = UInt64(limits.slots)
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

    var description: String {
        switch self {
        case .noRoom(let weights, let available):
            "Not enough memory for the KV cache: the weights take \(weights >> 20) MiB and \(available >> 20) MiB are available. "
                + "Raise --mem-fraction-static or set --max-total-tokens."
        }
    }
}
