import Messages
import ModelWorker
import Scheduling
import Values

/// What the ranks of a history prepare, and what is written down of their weights.
struct RankPlay {
    /// As the workers to come find it.
    var served = ServedWeights()
    /// Updates whose calls were not answered yet, by call.
    var unanswered: [UInt64: WeightUpdate] = [:]
    /// Steps until the ranks are done with what they prepare, and what comes of it; nil: they prepare nothing.
    var work: (steps: Int, outcome: Result<[String], RankJobFailure>)?
    /// Memory is given back.
    var isReleased = false
    /// It was asked for while the server was idle.
    var mayRelease = false
    var calls: UInt64 = 1000
    /// The call that asks for it.
    static let memoryCall: UInt64 = 1
}

// Other weights, and memory that is given back.
extension EngineHistory {
    /// An operator orders other weights, half of which are broken.
    mutating func orderWeights() {
        ranks.calls += 1
        let update = WeightUpdate.make {
            $0.order = ranks.calls
            $0.path = once(in: 2) ? "broken" : "good"
            $0.abortsRequests = once(in: 4)
            $0.keepsCache = once(in: 4)
        }
        ranks.unanswered[ranks.calls] = update
        let call = ranks.calls
        send { $0.control = .make { ($0.call, $0.updateWeights) = (call, update) } }
    }

    /// A new worker hears of what was ordered, and what nobody answered is ordered again.
    mutating func remindOfWeights() {
        model.weights = ranks.served.number
        ranks.work = nil
        if ranks.isReleased {
            send {
                $0.control = .make {
                    $0.releaseMemory = .make { ($0.tags, $0.isStanding) = (["weights", "kv_cache"], true) }
                }
            }
        }
        for (call, update) in ranks.unanswered.sorted(by: { $0.key < $1.key }) {
            send { $0.control = .make { ($0.call, $0.updateWeights) = (call, update) } }
        }
    }

    /// Asks for memory to be given back, which only an idle server does.
    mutating func giveMemory() {
        guard !ranks.isReleased else { return }
        ranks.mayRelease = engine.scheduler.isIdle && ranks.unanswered.isEmpty && !engine.awaitsRanks
        send {
            $0.control = .make {
                ($0.call, $0.releaseMemory) = (RankPlay.memoryCall, .make { $0.tags = ["weights", "kv_cache"] })
            }
        }
    }

    /// Takes the memory again.
    mutating func takeMemory() {
        guard ranks.isReleased else { return }
        ranks.isReleased = false
        send { $0.control = .make { $0.resumeMemory = .make { $0.tags = ["weights", "kv_cache"] } } }
    }

    /// The ranks go on with what they prepare.
    mutating func ranksWork() {
        guard let work = ranks.work else { return }
        ranks.work?.steps -= 1
        guard work.steps <= 0, engine.awaitsRanks else { return }
        ranks.work = nil
        engine.ranksAreDone(work.outcome)
    }

    /// Does what the ranks are told.
    mutating func obey(_ effect: Effect) {
        switch effect {
        case .prepareWeights(let path, _):
            let outcome: Result<[String], RankJobFailure> =
                path == "broken" ? .failure(RankJobFailure(message: "broken")) : .success([])
            ranks.work = (Int.random(in: 0...4, using: &random), outcome)
        case .discardWeights: ranks.work = nil
        case .exchangeWeights(let served, _):
            if let served {
                ranks.served = served
                if served.pureSince < served.number { for id in rows.keys { rows[id]!.isMixed = true } }
                model.weights = served.number
            }
            model.hasWeights = true
            engine.weightsChanged(to: served)
        case .releaseWeights: model.hasWeights = false
        case .releaseCache: model.forget()
        default: break
        }
    }

    /// An update is answered as it deserves; what was wrong.
    mutating func hear(_ answer: ControlReply) -> String? {
        if answer.call == RankPlay.memoryCall {
            note(answer.success ? "memory given" : "memory kept")
            ranks.isReleased = answer.success
            return answer.success == ranks.mayRelease ? nil : "memory was given back: \(answer.success)"
        }
        guard let update = ranks.unanswered.removeValue(forKey: answer.call) else { return nil }
        if answer.message.hasPrefix("Weights were updated, but the cache was not flushed") {
            note("cache kept")
            return isPaused ? nil : "the cache was kept although nobody paused"
        }
        if answer.message.contains("their memory is released") { return nil }
        guard answer.success == (update.path == "good") else { return "an update: \(answer.message)" }
        note(answer.success ? "updated" : "not updated")
        return nil
    }

    /// An update ends a request; its client gets what there is.
    mutating func end(_ abort: Abort) {
        guard abort.wantsAnswer, let row = rows[abort.key.id], row.request.key.attempt == abort.key.attempt else {
            return
        }
        rows[abort.key.id] = nil
        note("aborted for weights")
    }

    /// A request is refused: only where it began with weights that others took the place of; what was wrong.
    mutating func lose(_ failure: Failure) -> String? {
        guard let row = rows.removeValue(forKey: failure.key.id), let last = row.weights.last,
            last < ranks.served.pureSince, failure.statusCode == 503
        else { return "refused: \(failure.message)" }
        note("begun before")
        return nil
    }
}
