package import ChildRuntime
internal import Glibc
internal import Grammar
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
package func runModelWorker(identity: ChildIdentity, settings: WorkerSettings) throws {
    let started = monotonicMilliseconds()
    let suffix = identity.size > 1 ? "TP\(identity.rank)" : ""
    let log = LineLogHandler.logger(label: "scheduler", level: settings.logLevel, suffix: suffix)
    let context = Context()
    let stamp = ProgressStamp()
    let fronts = FrontBoard()
    let line = try SupervisionLine(identity, context: context, stamp: stamp) { order in
        if case .topology(let topology) = order.order { fronts.update(topology) }
    }
    line.progress("model", 0)
    let group = try joinRanks(identity, settings)
    let keepsake = WeightsKeepsake(descriptor: ChildIdentity.weightsDescriptor)
    let loaded = try ServedModel(settings, served: keepsake.read(), group: group, log: log) {
        line.progress("weights", $0)
    }
    guard identity.rank == 0 else {
        line.ready()
        try RankLoop(
            model: loaded.model, compute: loaded.compute, link: loaded.link!, weights: loaded.weights, stamp: stamp
        ).run()
    }
    let tokenizer = try openTokenizer(settings, TokenizerMemory(descriptor: ChildIdentity.tokenizerDescriptor))
    let endIDs = loaded.model.config.eosTokenIDs.map { Int32($0) } + (tokenizer?.eosIDs ?? [])
    var traits = loaded.traits
    traits.modelPath = settings.modelPath
    traits.endIDs = Set(endIDs).sorted()
    traits.tokenizer = tokenizer
    traits.generation = identity.generation
    traits.timeouts = RequestTimeouts(
        waiting: settings.requestWaitingTimeout, running: settings.requestRunningTimeout)
    traits.targetGap = Double(settings.targetInterTokenMilliseconds) / 1000
    traits.logInterval = settings.decodeLogInterval
    traits.expertRecorderMode = settings.expertRecorderMode
    traits.expertRecorderBufferSize = settings.expertRecorderBufferSize
    traits.returnsRoutedExperts = settings.enableReturnRoutedExperts
    var engine = try Engine(traits, compute: loaded.compute, now: monotonicSeconds())
    let slots = try restoreSlots(&engine, log)
    let profiler = Profiler(compute: loaded.compute, title: identity.title, log: log)
    var loop = try WorkerLoop(
        engine,
        WorkerPipes(identity, context: context, fronts: fronts, log: log),
        model: RankedModel(
            model: loaded.model, compute: loaded.compute, link: loaded.link, weights: loaded.weights,
            profiler: profiler), keepsake: keepsake, slots: slots, profiler: profiler, stamp: stamp,
        records: ExpertRecordFolder(path: settings.expertRecorderDirectory, log: log),
        grammars: tokenizer.flatMap { makeGrammars(settings, $0, vocabularySize: traits.vocabularySize, log) }, log: log
    )
    line.ready(loaded.facts(endIDs: endIDs, seconds: Double(monotonicMilliseconds() - started) / 1000))
    try loop.run()
}

/// Has the prefix cache go on with what the worker before has left, and opens the memory in which the next one will look; nil where
/// nothing is kept.
private func restoreSlots(_ engine: inout Engine, _ log: Logger) throws -> SlotKeepsake? {
    let limits = engine.traits.limits
    guard limits.keepsBook else { return nil }
    guard let keepsake = SlotKeepsake(descriptor: ChildIdentity.slotsDescriptor, limits) else {
        throw Engine.NoMemory(purpose: "the list of what the prefix cache holds")
    }
    let (tokens, changes) = engine.restore(keepsake.read())
    keepsake.empty()
    keepsake.write(changes)
    if tokens > 0 { log.info("The prefix cache still has \(tokens) tokens") }
    return keepsake
}

/// What compiles grammars, as the operator wants them; nil where there are to be none.
private func makeGrammars(
    _ settings: WorkerSettings, _ tokenizer: Tokenizer, vocabularySize: Int, _ log: Logger
) -> GrammarPool? {
    switch settings.grammarBackend {
    case .none: return nil
    case .xgrammar: break
    case .llguidance, .outlines:
        log.info("--grammar-backend \(settings.grammarBackend.rawValue): grammars are compiled by the built-in engine")
    }
    var options = GrammarOptions()
    if let pattern = settings.whitespacePattern { options.whitespace = .pattern(pattern) }
    if let count = settings.maxWhitespaceCount { options.whitespace = .atMost(count) }
    if settings.disableAnyWhitespace { options.whitespace = .none }
    return GrammarPool(
        tokenizer, vocabularySize: vocabularySize, options: options, jumpsForward: !settings.disableJumpForward)
}

/// Opens what the ranks of a group share; nil for a rank alone.
///
/// A rank that misses a meeting has left the others with half a sum, so the group ends and is started again as one.
private func joinRanks(_ identity: ChildIdentity, _ settings: WorkerSettings) throws -> Collectives? {
    guard identity.size > 1 else { return nil }
    let patience = settings.watchdogTimeout
    let group = Collectives(
        descriptor: ChildIdentity.groupDescriptor, rank: identity.rank, size: identity.size, patience: patience
    ) { missing in
        LastWords.leave("Rank \(missing) did not come to a sum of the step within \(patience) s")
        exit(ChildIdentity.missingRankExit)
    }
    guard let group else { throw StartError.noGroup }
    return group
}
