internal import ChildRuntime
internal import Messages

/// What the worker keeps of a request besides the scheduler's integers.
struct WorkerRequest {
    let key: RequestKey
    let sampling: SamplingParams
    /// Output ids of an earlier attempt.
    let resumedCount: Int
    let streams: Bool
    /// Tokens between two frames.
    let interval: Int
    var penalties: Penalties
    let stop: StopRules
    var logprobs: LogprobCollector?
    /// Ids generated (or resumed) that no frame has taken yet.
    var unsent: [Int32]
    /// Absolute output index of the first of them.
    var offset = 0
    /// Monotonic milliseconds at which it came, and was admitted first; nil: not yet.
    let arrived = monotonicMilliseconds()
    var admitted: UInt64?
    /// The first frame of this attempt is out.
    var opened = false

    /// Ids that a request nobody streams may gather before a frame goes out. A death costs what was not told yet, so where the worker
    /// dies every few seconds a long interval would mean no progress at all.
    static let quietInterval = 8

    init(_ command: GenerateIDs, penalties: Penalties, stop: StopRules) {
        key = command.key
        sampling = command.sampling
        resumedCount = command.resumedIds.count
        streams = command.options.stream
        interval = command.options.stream ? max(1, Int(command.options.streamInterval)) : Self.quietInterval
        self.penalties = penalties
        self.stop = stop
        logprobs = command.hasLogprobs ? LogprobCollector(command.logprobs) : nil
        unsent = command.resumedIds
    }

    /// A frame is due: the first token, the interval is full, or the request is over.
    func isFrameDue(finished: Bool) -> Bool { finished || !opened || unsent.count >= interval }
}
