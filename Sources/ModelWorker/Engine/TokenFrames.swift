internal import Messages
internal import Scheduling

/// Builds the frame of one step: parallel arrays with one entry for each request that has something to tell.
struct TokenFrames {
    private(set) var batch = TokenBatch()

    init(generation: UInt64) { batch.generation = generation }

    var isEmpty: Bool { batch.requestIds.isEmpty }

    /// Moves what a request has gathered into the frame.
    ///
    /// Ids of an earlier attempt come first, in an entry of their own: they open the decode state and have no log probabilities here.
    mutating func add(
        _ request: inout WorkerRequest, _ scheduled: ScheduledRequest, finish: FinishReason?, idsOnly: Bool
    ) {
        let row = batch.requestIds.count
        if !request.opened {
            batch.openings.append(options(request, row, idsOnly))
            let resumed = request.resumedCount
            if resumed > 0 { addRow(&request, scheduled, count: resumed, finish: FinishReason()) }
        }
        let frame = request.logprobs?.take(row: batch.requestIds.count)
        addRow(&request, scheduled, count: request.unsent.count, finish: finish ?? FinishReason())
        if let frame { batch.logprobs.append(frame) }
        request.opened = true
    }

    private mutating func addRow(
        _ request: inout WorkerRequest, _ scheduled: ScheduledRequest, count: Int, finish: FinishReason
    ) {
        batch.requestIds.append(request.key.id)
        batch.attempts.append(request.key.attempt)
        batch.offsets.append(UInt32(request.offset))
        batch.counts.append(UInt32(count))
        batch.ids.append(contentsOf: request.unsent[..<count])
        batch.finish.append(finish)
        batch.promptTokens.append(UInt32(scheduled.promptCount))
        batch.cachedTokens.append(UInt32(scheduled.cachedTokens))
        batch.retractions.append(UInt32(scheduled.retractions))
        request.offset += count
        request.unsent.removeFirst(count)
    }

    private func options(_ request: WorkerRequest, _ row: Int, _ idsOnly: Bool) -> DecodeOptions {
        .make {
            $0.row = UInt32(row)
            $0.skipSpecialTokens = request.sampling.skipSpecialTokens
            $0.noStopTrim = request.sampling.noStopTrim
            $0.stop = request.sampling.stop
            $0.logprobText = request.logprobs?.options.withText ?? false
            $0.idsOnly = idsOnly
        }
    }
}
