internal import Messages
internal import Scheduling

/// Builds the frame of one step: parallel arrays with one entry for each request that has something to tell.
struct TokenFrames {
    private(set) var batch = TokenBatch()

    /// Prompt ids that go with an opening: enough to begin before any character, however many ids it is spread over.
    private static let promptTail = 16

    /// - Parameter weights: number of those that the step computes with.
    init(generation: UInt64, weights: UInt64) {
        batch.generation = generation
        batch.weights = weights
    }

    var isEmpty: Bool { batch.requestIds.isEmpty }

    /// Moves what a request has gathered into the frame.
    ///
    /// Ids of an earlier attempt come first, in an entry of their own: they open the decode state and have no log probabilities here.
    mutating func add(
        _ request: inout EngineRequest, _ scheduled: ScheduledRequest, finish: FinishReason?, idsOnly: Bool
    ) {
        let row = batch.requestIds.count
        if !request.opened {
            let tail = scheduled.tokens[..<scheduled.promptCount].suffix(Self.promptTail)
            batch.openings.append(request.chooser.decodeOptions(row: row, promptTail: tail, idsOnly: idsOnly))
            let resumed = request.resumedCount
            if resumed > 0 { addRow(&request, scheduled, count: resumed, finish: FinishReason()) }
        }
        let frame = request.chooser.logprobs?.take(row: batch.requestIds.count)
        let states = request.hidden?.take(row: batch.requestIds.count)
        addRow(&request, scheduled, count: request.unsent.count, finish: finish ?? FinishReason())
        if let frame { batch.logprobs.append(frame) }
        if let states { batch.hidden.append(states) }
        request.opened = true
    }

    /// Tells which experts the tokens of the request took that was added last.
    mutating func addExperts(_ ids: [Int32]) {
        batch.routedExperts.append(
            .make {
                $0.row = UInt32(batch.requestIds.count - 1)
                $0.ids = ids
            })
    }

    /// Tells how long the thinking part is of the request that was added last; nothing where nobody looks for one. It gets
    /// shorter when what counted as thinking turns out to be its end marker.
    private mutating func addThinking(_ count: Int?) {
        guard let count else { return }
        let missing = batch.requestIds.count - 1 - batch.reasoningTokens.count
        batch.reasoningTokens += Array(repeating: 0, count: missing) + [UInt32(count)]
    }

    private mutating func addRow(
        _ request: inout EngineRequest, _ scheduled: ScheduledRequest, count: Int, finish: FinishReason
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
        addThinking(request.chooser.thinkingCount)
        request.offset += count
        request.unsent.removeFirst(count)
    }
}
