internal import Messages

/// What the engine knows of every request, whatever it asks for.
protocol HeldRequest: Sendable {
    var key: RequestKey { get }
    /// Monotonic seconds at which it came, and was admitted first; nil: not yet.
    var arrived: Double { get }
    var admitted: Double? { get set }
}

/// What the engine keeps of a request that generates, besides the scheduler's integers.
struct EngineRequest: HeldRequest {
    let key: RequestKey
    /// Output ids of an earlier attempt.
    let resumedCount: Int
    /// Tokens between two frames.
    let interval: Int
    /// First position whose experts the answer tells; nil: it tells none.
    let routedExpertsFrom: Int?
    var chooser: TokenChooser
    /// Hidden states that no frame has taken yet; nil when none are wanted.
    var hidden: HiddenCollector?
    /// First prompt position whose log probability is wanted; nil: none is.
    let logprobStart: Int?
    /// Vectors in the place of the prompt's tokens', one behind the other.
    let vectors: [Float]
    /// Ids generated (or resumed) that no frame has taken yet.
    var unsent: [Int32]
    /// Absolute output index of the first of them.
    var offset = 0
    let arrived: Double
    var admitted: Double?
    /// The first frame of this attempt is out.
    var opened = false

    /// Ids that a request nobody streams may gather before a frame goes out. A death costs what was not told yet, so where the worker
    /// dies every few seconds a long interval would mean no progress at all.
    static let quietInterval = 8

    init(_ command: GenerateIDs, chooser: TokenChooser, hiddenSize: Int, now: Double) {
        key = command.key
        resumedCount = command.resumedIds.count
        interval = command.options.stream ? max(1, Int(command.options.streamInterval)) : Self.quietInterval
        routedExpertsFrom = command.options.hasRoutedExpertsFrom ? Int(command.options.routedExpertsFrom) : nil
        self.chooser = chooser
        let states = command.options.hiddenStates
        hidden = states == .noRow ? nil : HiddenCollector(width: hiddenSize, wantsPrompt: states == .everyRow)
        logprobStart = command.hasLogprobs && command.logprobs.start >= 0 ? Int(command.logprobs.start) : nil
        vectors = command.hasVectors ? command.vectors.numbers : []
        unsent = command.resumedIds
        arrived = now
    }

    /// A frame is due: the first token, the interval is full, or the request is over.
    func isFrameDue(finished: Bool) -> Bool { finished || !opened || unsent.count >= interval }
}
