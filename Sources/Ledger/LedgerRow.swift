package import Messages

/// What the front knows about one sub-request: the request as it arrived and everything it has produced so far.
package struct LedgerRow: Sendable {
    /// Where a row is in its life.
    package enum Phase: Sendable, Equatable {
        /// Not with the pipe: a stage is missing. It goes out when all are there.
        case held(since: Double)
        /// Sent down the pipe while these were ready.
        case dispatched(to: PipeStatus.Incarnations)
        /// Not with the pipe: the client does not read. It goes out again when the client does.
        case parked
        /// Over; nothing more will change.
        case ended(RowEnding)
    }

    /// The request as it goes to the tokenizer manager; its key carries id and attempt.
    package var request: Generate
    /// The client's name for it.
    package let rid: String
    /// The HTTP request it belongs to, and its place in the answer.
    package let group: UInt64
    package let index: Int
    package var phase: Phase
    package var output = RowOutput()
    var times: RowTimes
    /// Points at which a frame of a stream ends; empty unless the client streams.
    package var cuts: [RowCut] = []
    /// How many generations of the worker died while they had this row.
    package var crashes = 0
    /// Submissions since the row last made progress.
    var fruitlessAttempts = 0
    /// The row counts in the metrics.
    var isCounted = true
    /// When an abort was asked for that should end with an answer; nil: never.
    var abortedAt: Double?

    package var key: RequestKey { request.key }

    package var isEnded: Bool {
        if case .ended = phase { true } else { false }
    }
}

/// How a row ended.
package enum RowEnding: Sendable, Equatable {
    /// With a reason that the client sees as `finish_reason`.
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
    var retractions = 0
    /// One log probability for each id.
    package var logprobs = TokenLogprobs()
    /// As many as asked for each id.
    package var topLogprobs = TokenLogprobs()
    var chosenLogprobs = TokenLogprobs()
    var inputLogprobs: InputLogprobs?
    /// Ids of the prompt, once the tokenizer manager has told them.
    var promptIDs: [Int32]?
}

/// A position in a row's output at which one frame of a stream ends.
package struct RowCut: Sendable, Equatable {
    package var ids: Int
    package var textBytes: Int
}

/// Seconds since 1970 at which things happened to a row; 0 means not yet.
package struct RowTimes: Sendable, Equatable {
    var received = 0.0
    var dispatched = 0.0
    var firstFrame = 0.0
    var lastFrame = 0.0
    var finished = 0.0
    var firstSent = 0.0
}

extension RowOutput {
    /// What a frame holds, as far as this row goes.
    struct Piece {
        var offset: Int
        var ids: ArraySlice<Int32>
        var textOffset: Int
        var text: String.UTF8View
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
    mutating func append(_ piece: Piece, _ frame: LogprobFrame?) -> Appended {
        guard piece.offset <= ids.count, piece.textOffset <= text.count else { return .gap }
        let known = ids.count - piece.offset
        let fresh = max(0, piece.ids.count - known)
        let freshText = max(0, piece.text.count - (text.count - piece.textOffset))
        if let frame { append(frame, known: min(known, piece.ids.count), count: piece.ids.count) }
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
