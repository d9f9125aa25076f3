internal import ChildRuntime
internal import Logging
internal import Messages
internal import Scheduling

/// Orders under way.
struct ControlState {
    var paused = false
    /// Kinds of memory that were given back.
    var released: Set<String> = []
    /// Seconds to sleep before each step.
    var slowDown = 0.0
    /// A flush that waits for idleness: its call, and until when.
    var flush: (call: UInt64, until: Double)?
}

/// Questions and orders from operators.
extension Engine {
    mutating func answer(_ call: ControlCall, now: Double) {
        switch call.kind {
        case .flushCache(let flush): startFlush(call.call, flush, now: now)
        case .internalState:
            statistics.noteIdleness(now: now)
            reply(call.call, success: true, "", state: state)
        case .pause(let pause): stop(pause.mode, call.call)
        case .resume:
            control.paused = false
            reply(call.call, success: true, "Generation continued successfully.")
        case .weight(let weight): emit(.readWeight(call: call.call, weight))
        case .updateWeights(let order): update(order, call: call.call)
        case .releaseMemory(let order): release(order, call: call.call)
        case .resumeMemory(let order): restore(order, call: call.call)
        case .weightChecksums: addUpWeights(call.call)
        case .slowDown(let seconds):
            control.slowDown = seconds
            reply(call.call, success: true, "")
        case .startProfile(let order): emit(.profile(call: call.call, order))
        case .stopProfile: emit(.profile(call: call.call, nil))
        case .experts(let order): record(order.action, call.call)
        case nil: reply(call.call, success: false, "unknown control call")
        }
    }

    private mutating func startFlush(_ call: UInt64, _ flush: FlushCache, now: Double) {
        if control.flush != nil {
            return reply(call, success: false, "Another flush_cache is already in progress.")
        }
        control.flush = (call, now + max(0, min(flush.timeoutSeconds, 86_400)))
    }

    /// Carries out a flush that waits, as soon as nothing runs or its time is over.
    mutating func settleFlush(now: Double) {
        guard let flush = control.flush else { return }
        if waiters.isEmpty, scheduler.flushCache() {
            shelf.clear()
            emit(.log(.info, "Cache flushed successfully!"))
            control.flush = nil
            return reply(flush.call, success: true, "")
        }
        guard now >= flush.until else { return }
        let counts = scheduler.counts
        emit(
            .log(
                .warning,
                "Cache not flushed because there are pending requests. #queue-req: \(counts.waiting), #running-req: \(counts.running)"
            ))
        control.flush = nil
        reply(flush.call, success: false, "Timed out waiting for idle state.")
    }

    private mutating func stop(_ mode: PauseGeneration.Mode, _ call: UInt64) {
        switch mode {
        case .abort: giveUpAll()
        case .retract: scheduler.retractAll()
        case .inPlace, .UNRECOGNIZED: break
        }
        control.paused = true
        reply(call, success: true, "Generation paused successfully.")
    }

    /// Ends all requests; their clients get what there is of an answer.
    mutating func giveUpAll() {
        for request in heldRequests.sorted(by: { $0.key.id < $1.key.id }) {
            giveUp(
                .make {
                    $0.key = request.key
                    $0.wantsAnswer = true
                })
        }
    }

    /// Answers a call.
    mutating func reply(
        _ call: UInt64, success: Bool, _ message: String, state: WorkerState? = nil, texts: [String] = []
    ) {
        emit(
            .front(
                .make {
                    $0.control = .make {
                        $0.call = call
                        $0.success = success
                        $0.message = message
                        $0.texts = texts
                        if let state { $0.state = state }
                    }
                }))
    }

    /// The numbers of this worker as they are now.
    private var state: WorkerState {
        let counts = scheduler.counts
        return .make {
            $0.running = UInt32(counts.running)
            $0.waiting = UInt32(counts.waiting)
            $0.slotsTotal = UInt64(counts.total)
            $0.slotsFree = UInt64(counts.free)
            $0.slotsCached = UInt64(counts.cached)
            $0.slotsHeld = UInt64(counts.held)
            if let window = counts.window {
                $0.windowSlotsTotal = UInt64(window.total)
                $0.windowSlotsHeld = UInt64(window.held)
                $0.windowSlotsCached = UInt64(window.cached)
            }
            $0.waitingUncachedTokens = UInt64(counts.waitingTokens)
            $0.generationThroughput = statistics.generationThroughput
            $0.cacheHitRate = statistics.cacheHitRate
            $0.weightBytes = traits.weightBytes
            $0.kvBytes = traits.kvBytes
            $0.maxRunning = UInt32(scheduler.limits.maxRunning)
            $0.retractions = UInt64(counts.retractions)
            $0.awaitingGrammars = UInt32(waiters.count)
            $0.paused = control.paused ? 1 : 0
            $0.pageSize = UInt32(scheduler.limits.pageSize)
            $0.runningTokens = UInt64(scheduler.runningTokens)
            $0.newTokenRatio = scheduler.newTokenRatio
            $0.counters = counters
        }
    }

    /// What it did since it started.
    private var counters: WorkerCounters {
        let tally = scheduler.tally
        return .make {
            $0.prefilledTokens = UInt64(tally.prefilledTokens)
            $0.cachedTokens = UInt64(tally.cachedTokens)
            $0.decodedTokens = statistics.decodedTokens
            $0.retractedPromptTokens = UInt64(tally.retractedPromptTokens)
            $0.retractedOutputTokens = UInt64(tally.retractedOutputTokens)
            $0.evictedTokens = UInt64(tally.evictedTokens)
            $0.prefillSeconds = statistics.prefillTime
            $0.decodeSeconds = statistics.decodeTime
            $0.idleSeconds = statistics.idleTime
            $0.queueTimeCounts = statistics.queueTime.counts
            $0.queueTimeSum = statistics.queueTime.sum
            $0.steps = statistics.steps
            $0.grammars = grammarTally.message
        }
    }
}
