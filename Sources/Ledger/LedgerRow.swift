package import Messages
package import Values

/// What the front knows about one sub-request: the errand as it arrived and everything that came of it so far.
package struct LedgerRow: Sendable {
    /// Where a row is in its life, with what only matters there.
    package enum State: Sendable, Equatable {
        /// Not with the pipe: a stage is missing. It goes out when all are there.
        case held(Trials, since: Double)
        /// Sent down the pipe while these were ready; `abortedAt` is when an abort was asked for that should end with an
        /// answer.
        case dispatched(Trials, to: PipeStatus.Incarnations, abortedAt: Double? = nil)
        /// Not with the pipe: the client does not read. It goes out again when the client does.
        case parked(Trials)
        /// Over; nothing more will change.
        case ended(RowEnding, at: Double)
    }

    /// What a row that has not ended went through.
    package struct Trials: Sendable, Equatable {
        /// Generations of the worker that died while they had the row.
        var crashes = 0
        /// Submissions since the row last made progress.
        var fruitless = 0

        package init() {}
    }

    /// What goes to the tokenizer manager; its key carries id and attempt.
    package var errand: Errand
    /// The client's name for it.
    package let rid: ClientName
    /// The HTTP request it belongs to, and its place in the answer.
    package let group: UInt64
    package let index: Int
    package var state: State
    package var output = RowOutput()
    package var times: RowTimes
    /// Points at which a frame of a stream ends; empty unless the client streams.
    package var cuts: [RowCut] = []
    /// The row counts in the metrics.
    var isCounted = true

    /// Which request this is, and which attempt at it.
    package var key: RequestKey { errand.key }

    /// How the row ended, if it did.
    package var ending: RowEnding? {
        if case .ended(let ending, _) = state { ending } else { nil }
    }

    /// Nothing more will change.
    package var isEnded: Bool { ending != nil }

    /// The row waits for its client to read.
    package var isParked: Bool {
        if case .parked = state { true } else { false }
    }

    /// Seconds since 1970 at which the row ended; 0 before.
    package var finishedAt: Double {
        if case .ended(_, let time) = state { time } else { 0 }
    }

    /// Why the row ended, if it did with an answer.
    package var finish: FinishReason? {
        if case .finished(let finish)? = ending { finish } else { nil }
    }

    /// What the client should see instead of an answer.
    package var failure: RequestFailure? {
        switch ending {
        case .failed(let failure)?: failure
        case .finished(let finish)?: StageRefusal(finish).map { .stage($0) }
        case nil: nil
        }
    }

    /// Changes what the row went through.
    mutating func note(_ change: (inout Trials) -> Void) {
        switch state {
        case .held(var trials, let since):
            change(&trials)
            state = .held(trials, since: since)
        case .dispatched(var trials, let to, let abortedAt):
            change(&trials)
            state = .dispatched(trials, to: to, abortedAt: abortedAt)
        case .parked(var trials):
            change(&trials)
            state = .parked(trials)
        case .ended: break
        }
    }
}

/// How a row ended.
package enum RowEnding: Sendable, Equatable {
    /// With a reason that the client sees.
    case finished(FinishReason)
    /// With an error instead of an answer.
    case failed(RequestFailure)
}

/// What a row has produced: parallel lists over its output ids.
package struct RowOutput: Sendable, Equatable {
    package var ids: [Int32] = []
    /// UTF-8.
    package var text: [UInt8] = []
    package var promptTokens = 0
    package var cachedTokens = 0
    package var retractions = 0
    /// Ids before the end of the thinking part, where one was looked for.
    package var thinkingTokens = 0
    /// One log probability for each id.
    package var logprobs = TokenLogprobs()
    /// As many as asked for each id.
    package var topLogprobs = TokenLogprobs()
    package var chosenLogprobs = TokenLogprobs()
    package var inputLogprobs: InputLogprobs?
    /// Which weights computed the ids, or the vector, in order: from which id on, and their number.
    package private(set) var weightSpans: [WeightSpan] = []
    /// Hidden states of the rows that the ids were chosen from, and of the prompt before them; float32.
    package internal(set) var hidden = HiddenStates()
    /// The vector or the scores that were asked for, once they are there; empty for a row that generates.
    package var vector: [Float] = []
    /// The token of each number of a sparse vector; nil for a dense one.
    package var vectorTokens: [Int32]?
    /// The experts of each position from the asked one on, layer by layer; there with the end, where they were asked for.
    package var routedExperts: [Int32]?
    /// Ids of the prompt, once the tokenizer manager has told them.
    package var promptIDs: [Int32]?
}

/// What a frame holds for a row besides ids and text.
struct RowExtras {
    var logprobs: LogprobFrame?
    var hidden: HiddenFrame?
}

/// From which id on which weights computed.
package struct WeightSpan: Sendable, Equatable {
    package let start: Int
    package let number: UInt64
}

/// A position in a row's output at which one frame of a stream ends.
package struct RowCut: Sendable, Equatable {
    package var ids: Int
    package var textBytes: Int

    package init(ids: Int = 0, textBytes: Int = 0) {
        self.ids = ids
        self.textBytes = textBytes
    }
}

/// Seconds since 1970 at which things happened to a row; 0 means not yet.
package struct RowTimes: Sendable, Equatable {
    package var received = 0.0
    package var dispatched = 0.0
    package var firstFrame = 0.0
    package var lastFrame = 0.0
}

extension RowOutput {
    /// The position behind everything that is there.
    package var end: RowCut { RowCut(ids: ids.count, textBytes: text.count) }

    /// What a frame holds, as far as this row goes.
    struct Piece {
        var offset: Int
        var ids: ArraySlice<Int32>
        var textOffset: Int
        var text: String.UTF8View
    }

    /// The vector was computed with the weights of this number.
    mutating func noteWeights(_ number: UInt64) { weightSpans = [WeightSpan(start: 0, number: number)] }

    /// Ids from `start` on, if there are any, were computed with the weights of this number.
    mutating func noteWeights(_ number: UInt64, from start: Int) {
        guard ids.count > start, weightSpans.last?.number != number else { return }
        weightSpans.append(WeightSpan(start: start, number: number))
    }

    /// What became of a piece.
    enum Appended: Equatable {
        /// It continues the output.
        case progressed
        /// Everything in it was there already.
        case nothingNew
        /// Something between the output and the piece is missing.
        case gap
    }

    /// Takes over what is new in a frame and drops what is there already.
    mutating func append(_ piece: Piece, _ extras: RowExtras) -> Appended {
        guard piece.offset <= ids.count, piece.textOffset <= text.count else { return .gap }
        let known = ids.count - piece.offset
        let fresh = max(0, piece.ids.count - known)
        let freshText = max(0, piece.text.count - (text.count - piece.textOffset))
        let repeated = min(known, piece.ids.count)
        if let frame = extras.logprobs { append(frame, known: repeated, count: piece.ids.count) }
        if let states = extras.hidden { hidden.append(states, known: repeated, count: piece.ids.count) }
        if fresh > 0 { ids.append(contentsOf: piece.ids.suffix(fresh)) }
        if freshText > 0 { text.append(contentsOf: piece.text.suffix(freshText)) }
        return fresh > 0 || freshText > 0 ? .progressed : .nothingNew
    }

    private mutating func append(_ frame: LogprobFrame, known: Int, count: Int) {
        if frame.hasInput, inputLogprobs == nil { inputLogprobs = frame.input }
        guard count > 0 else { return }
        logprobs.append(frame.output, known: known, count: count)
        topLogprobs.append(frame.outputTop, known: known, count: count)
        chosenLogprobs.append(frame.outputChosen, known: known, count: count)
    }
}

extension TokenLogprobs {
    /// Appends another run that covers `count` ids, of which the first `known` are here already.
    mutating func append(_ other: TokenLogprobs, known: Int, count: Int) {
        guard !other.ids.isEmpty, other.ids.count % count == 0, other.values.count == other.ids.count else { return }
        let skipped = other.ids.count / count * known
        values.append(contentsOf: other.values.dropFirst(skipped))
        ids.append(contentsOf: other.ids.dropFirst(skipped))
        texts.append(contentsOf: other.texts.dropFirst(skipped))
    }
}

extension LedgerRow {
    /// A row for a request that was refused before it had any, so that its answer has something to show.
    package init(refused failure: RequestFailure, rid: ClientName, now: Double) {
        self.init(
            errand: .generate(Generate()), rid: rid, group: 0, index: 0, state: .ended(.failed(failure), at: now),
            times: RowTimes(received: now))
    }
}
