internal import Logging
package import Messages
internal import Scheduling

/// How other weights take the place of the present ones, and how memory is given back and taken again.
extension Engine {
    /// Queues an update; one that was carried out already is answered at once.
    mutating func update(_ update: WeightUpdate, call: UInt64) {
        if update.order == changes.served.order, update.order != 0 {
            return reply(call, success: true, Self.success(update))
        }
        if control.released.contains(MemoryTag.weights) {
            let text =
                "Failed to update weights: their memory is released; call /resume_memory_occupation first."
            return reply(call, success: false, text)
        }
        changes.ask(.update(update), call: call)
        beginChange()
    }

    /// Queues the sum over all weights.
    mutating func addUpWeights(_ call: UInt64) {
        changes.ask(.checksum, call: call)
        beginChange()
    }

    /// The ranks prepare or compute something: the shell asks them how far they are.
    package var awaitsRanks: Bool { changes.phase == .preparing }

    /// All ranks are done, or one has failed.
    package mutating func ranksAreDone(_ outcome: Result<[String], RankJobFailure>) {
        guard changes.phase == .preparing, let change = changes.current else { return }
        switch (outcome, change.purpose) {
        case (.failure(let failure), _):
            emit(.log(.error, failure.message))
            emit(.discardWeights)
            finishChange(success: false, failure.message)
        case (.success(let sums), .checksum):
            emit(.discardWeights)
            finishChange(success: true, "Weight checksums computed.", texts: sums)
        case (.success, .update(let update)):
            changes.phase = .ready
            if update.abortsRequests { giveUpAll() }
        case (.success, .restore): changes.phase = .ready
        }
    }

    /// The weights lie ready, and nothing stands against them.
    var isChangeDue: Bool { changes.phase == .ready && (isStopped || !scheduler.hasBegun) }

    /// Has the weights change as soon as nothing stands against it.
    mutating func settleChange() {
        guard isChangeDue, let change = changes.current else { return }
        switch change.purpose {
        case .update(let update):
            changes.phase = .changing
            tellBeforeChange()
            // What the server was started with it may be started with again.
            let isOwn = changes.served.number > 0 && changes.served.path != traits.modelPath
            emit(.exchangeWeights(changes.next(update, mixes: scheduler.hasBegun), removesOld: isOwn))
        case .restore:
            changes.phase = .changing
            emit(.exchangeWeights(nil, removesOld: false))
        case .checksum: break
        }
    }

    /// Tells what the present weights computed and no frame has taken yet: a frame is of one kind of weights.
    private mutating func tellBeforeChange() {
        var frames = TokenFrames(generation: traits.generation, weights: changes.served.number)
        for id in requests.keys.sorted() {
            guard var request = requests[id], request.opened, !request.unsent.isEmpty,
                let scheduled = scheduler.request(id)
            else { continue }
            frames.add(&request, scheduled, finish: nil, idsOnly: traits.tokenizer == nil)
            requests[id] = request
        }
        if !frames.isEmpty { emit(.detokenizer(.make { $0.tokens = frames.batch })) }
    }

    /// The weights have changed to those of the last `exchangeWeights`; `isWritten` is false where that could not be written down for
    /// the workers to come, and nothing has changed then.
    package mutating func weightsChanged(to served: ServedWeights?, isWritten: Bool = true) {
        guard changes.phase == .changing, let change = changes.current else { return }
        guard isWritten else {
            emit(.discardWeights)
            let text = "Failed to update weights: no memory to write it down.\nRolling back to original weights."
            return finishChange(success: false, text)
        }
        control.released.remove(MemoryTag.weights)
        guard let served, case .update(let update) = change.purpose else {
            return finishChange(success: true, "")
        }
        changes.served = served
        emit(.log(.info, "Update weights end."))
        guard !update.keepsCache else { return finishChange(success: true, Self.success(update)) }
        guard scheduler.forgetPrefixes() else {
            let text =
                "Weights were updated, but the cache was not flushed because requests are still running or queued. "
                + "Retract or finish them, then call /flush_cache."
            return finishChange(success: false, text)
        }
        emit(.log(.info, "Cache flushed successfully!"))
        finishChange(success: true, Self.success(update))
    }

    private static func success(_ update: WeightUpdate) -> String {
        let version = update.hasVersion ? " Weight version updated to \(update.version)." : ""
        return "Succeeded to update model weights." + version
    }

    private mutating func finishChange(success: Bool, _ message: String, texts: [String] = []) {
        for call in changes.finish() { reply(call, success: success, message, texts: texts) }
        beginChange()
    }

    /// Has the ranks begin with what comes next, if nothing is under way.
    private mutating func beginChange() {
        guard changes.phase == .rest, let change = changes.current else { return }
        changes.phase = .preparing
        switch change.purpose {
        case .update(let update):
            emit(.log(.info, "Start update_weights. Load format=\(update.loadFormat)"))
            emit(.prepareWeights(path: update.path, loadFormat: update.loadFormat))
        case .restore:
            emit(.prepareWeights(path: changes.served.path, loadFormat: changes.served.loadFormat))
        case .checksum: emit(.checksumWeights)
        }
    }

    // MARK: Memory

    /// Nothing may be computed now: an operator said so.
    var isStopped: Bool {
        control.paused || control.released.contains(MemoryTag.weights) || control.released.contains(MemoryTag.cache)
    }

    /// Gives memory back to the system. While any is given back requests wait.
    mutating func release(_ order: MemoryOrder, call: UInt64) {
        let tags = Set(order.tags).subtracting(control.released)
        guard !tags.isEmpty else { return reply(call, success: true, "") }
        if order.isStanding { scheduler.retractAll() }
        let counts = scheduler.counts
        guard order.isStanding || scheduler.isIdle, changes.current == nil, control.flush == nil else {
            let text =
                "Memory is released only while the server is idle. #queue-req: \(counts.waiting), "
                + "#running-req: \(counts.running)" + (changes.current == nil ? "" : "; the weights are being changed")
            return reply(call, success: false, text)
        }
        control.released.formUnion(tags)
        if tags.contains(MemoryTag.cache) {
            _ = scheduler.forgetPrefixes()
            emit(.releaseCache)
        }
        if tags.contains(MemoryTag.weights) { emit(.releaseWeights) }
        reply(call, success: true, "")
    }

    /// Takes memory again; weights are read anew, which takes its time.
    mutating func restore(_ order: MemoryOrder, call: UInt64) {
        let tags = Set(order.tags)
        let known = tags.intersection(control.released)
        if order.isStanding, known.isEmpty { return reply(call, success: true, "") }
        guard known == tags || order.isStanding, !known.isEmpty else {
            let names = tags.subtracting(known).sorted().joined(separator: ", ")
            return reply(call, success: false, "Memory that was not released cannot be resumed: \(names).")
        }
        if known.contains(MemoryTag.cache) { emit(.restoreCache) }
        control.released.subtract(known.subtracting([MemoryTag.weights]))
        guard known.contains(MemoryTag.weights) else { return reply(call, success: true, "") }
        changes.ask(.restore, call: call)
        beginChange()
    }
}

/// The kinds of memory that can be given back, as clients call them.
enum MemoryTag {
    static let weights = "weights"
    static let cache = "kv_cache"
}
