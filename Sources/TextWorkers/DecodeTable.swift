package import Messages

/// The decode state of every request that is under way, and what each frame of ids becomes: a value without sockets.
package struct DecodeTable: Sendable {
    /// Decodes ids; the flag says whether special tokens leave no text.
    package typealias Decode = (ArraySlice<Int32>, Bool) -> String

    private struct State: Sendable {
        var attempt: UInt32
        var decoder: IncrementalDecoder
        var skipsSpecialTokens = true
        var keepsStop = false
        var idsOnly = false
        var logprobText = false
        var stops: [String] = []
        /// UTF-8 bytes already handed out.
        var sent = 0
    }

    private var states: [UInt64: State] = [:]
    private var generation: UInt64 = 0

    package init() {}

    /// Requests under way.
    package var count: Int { states.count }

    /// What a batch of ids becomes: text for the front, and the requests whose frames do not continue what is known here.
    package mutating func take(_ batch: TokenBatch, decode: Decode) -> (text: TextBatch, missing: [RequestKey]) {
        var text = TextBatch()
        var missing: [RequestKey] = []
        guard batch.generation >= generation, batch.isConsistent else { return (text, missing) }
        if batch.generation > generation {
            // A new worker group: the states of the old one are resubmitted by the front and opened again.
            states.removeAll()
            generation = batch.generation
        }
        text.weights = batch.weights
        for opening in batch.openings where Int(opening.row) < batch.requestIds.count { open(opening, batch) }
        var logprobs = batch.logprobs[...]
        var hidden = batch.hidden[...]
        var experts = batch.routedExperts[...]
        var start = 0
        for row in batch.requestIds.indices {
            let ids = batch.ids[start..<(start + Int(batch.counts[row]))]
            start += ids.count
            var frame = logprobs.first.flatMap { Int($0.row) == row ? $0 : nil }
            if frame != nil { logprobs.removeFirst() }
            let place = text.requestIds.count
            defer { Self.pass(&experts, of: row, to: place, &text) }
            let states = hidden.first.flatMap { Int($0.row) == row ? $0 : nil }
            if states != nil { hidden.removeFirst() }
            if takeRow(row, ids, batch, &frame, &text, decode) {
                // A late row has no place in the text.
                if var states, text.requestIds.last == batch.requestIds[row], text.attempts.last == batch.attempts[row]
                {
                    states.row = UInt32(text.requestIds.count - 1)
                    text.hidden.append(states)
                }
            } else {
                missing.append(
                    .make {
                        $0.id = batch.requestIds[row]; $0.attempt = batch.attempts[row]
                    })
            }
        }
        return (text, missing)
    }

    /// Hands on what is told of a row's experts, if the row took its place in the text.
    private static func pass(
        _ experts: inout ArraySlice<RoutedExperts>, of row: Int, to place: Int, _ text: inout TextBatch
    ) {
        guard var first = experts.first, Int(first.row) == row else { return }
        experts.removeFirst()
        guard text.requestIds.count > place else { return }
        first.row = UInt32(place)
        text.routedExperts.append(first)
    }

    /// Drops a request; a last row for the client when it waits for one.
    package mutating func abort(_ abort: Abort, decode: Decode) -> TextBatch? {
        let state = states.removeValue(forKey: abort.key.id)
        guard abort.wantsAnswer else { return nil }
        var rest = ""
        if var state {
            let skips = state.skipsSpecialTokens
            state.decoder.finish { decode($0, skips) }
            rest = String(decoding: state.decoder.text.utf8.dropFirst(state.sent), as: UTF8.self)
        }
        var text = TextBatch(ending: abort)
        text.offsets = [UInt32(state?.decoder.count ?? 0)]
        text.textOffsets = [UInt32(state?.sent ?? 0)]
        text.texts = [rest]
        return text
    }

    /// Drops what any other front than these asked for.
    package mutating func keep(_ fronts: Set<UInt64>) {
        states = states.filter { fronts.contains(FrontGeneration.of($0.key)) }
    }

    private mutating func open(_ opening: DecodeOptions, _ batch: TokenBatch) {
        var state = State(
            attempt: batch.attempts[Int(opening.row)], decoder: IncrementalDecoder(context: opening.promptTail))
        state.skipsSpecialTokens = opening.skipSpecialTokens
        state.keepsStop = opening.noStopTrim
        state.idsOnly = opening.idsOnly
        state.logprobText = opening.logprobText
        state.stops = opening.stop
        states[batch.requestIds[Int(opening.row)]] = state
    }

    private mutating func takeRow(
        _ row: Int, _ ids: ArraySlice<Int32>, _ batch: TokenBatch, _ frame: inout LogprobFrame?,
        _ text: inout TextBatch,
        _ decode: Decode
    ) -> Bool {
        let id = batch.requestIds[row]
        guard var state = states[id], state.attempt == batch.attempts[row],
            state.decoder.count == Int(batch.offsets[row])
        else {
            // A late frame of an attempt that was given up is no loss.
            if let state = states[id], state.attempt > batch.attempts[row] { return true }
            states[id] = nil
            return false
        }
        states[id] = nil
        let finish = batch.finish[row]
        text.requestIds.append(id)
        text.attempts.append(batch.attempts[row])
        text.offsets.append(batch.offsets[row])
        text.counts.append(UInt32(ids.count))
        text.ids.append(contentsOf: ids)
        text.textOffsets.append(UInt32(state.sent))
        if state.idsOnly {
            // Nobody wants text, but the next frame must continue where this one ends.
            for id in ids { state.decoder.appendSilently(id) }
            text.texts.append("")
        } else {
            text.texts.append(newText(&state, ids, finish, decode))
        }
        text.finish.append(finish)
        text.promptTokens.append(batch.promptTokens[row])
        text.cachedTokens.append(batch.cachedTokens[row])
        text.retractions.append(batch.retractions[row])
        if row < batch.reasoningTokens.count {
            let missing = text.requestIds.count - 1 - text.reasoningTokens.count
            text.reasoningTokens += Array(repeating: 0, count: missing) + [batch.reasoningTokens[row]]
        }
        if var frame {
            frame.row = UInt32(text.requestIds.count - 1)
            if state.logprobText { frame.fillTexts { decode([$0], false) } }
            text.logprobs.append(frame)
        }
        if finish.reason == nil { states[id] = state }
        return true
    }

    /// The text that the ids add to what was handed out before.
    private func newText(
        _ state: inout State, _ ids: ArraySlice<Int32>, _ finish: FinishReason, _ decode: Decode
    ) -> String {
        let skips = state.skipsSpecialTokens
        let decodeIDs: IncrementalDecoder.Decode = { decode($0, skips) }
        for (index, id) in ids.enumerated() {
            if index == ids.count - 1, case .stopToken = finish.reason, !state.keepsStop {
                state.decoder.appendSilently(id)
            } else {
                state.decoder.append(id, decode: decodeIDs)
            }
        }
        if finish.reason != nil { state.decoder.finish(decode: decodeIDs) }
        let all = state.decoder.text
        let shown: Substring =
            switch finish.reason {
            case nil: StopTrim.shown(all, stops: state.stops)
            case .stopString(let stop), .stopRegex(let stop): StopTrim.cut(all, at: stop, keep: state.keepsStop)
            default: all[...]
            }
        // A cut never reaches back behind what was shown: text that could start a stop string was held back.
        let new = String(decoding: shown.utf8.dropFirst(state.sent), as: UTF8.self)
        state.sent += new.utf8.count
        return new
    }
}

extension TokenBatch {
    /// The parallel arrays have one entry a request and the ids they count.
    fileprivate var isConsistent: Bool {
        let rows = requestIds.count
        return attempts.count == rows && offsets.count == rows && counts.count == rows && finish.count == rows
            && promptTokens.count == rows && cachedTokens.count == rows && retractions.count == rows
            && counts.reduce(0, { $0 + Int($1) }) == ids.count
    }
}

extension LogprobFrame {
    /// Gives every entry the text of its id.
    fileprivate mutating func fillTexts(_ text: (Int32) -> String) {
        output.texts = output.ids.map(text)
        outputTop.texts = outputTop.ids.map(text)
        outputChosen.texts = outputChosen.ids.map(text)
        guard hasInput else { return }
        input.tokens.texts = input.tokens.ids.map(text)
        input.top.texts = input.top.ids.map(text)
        input.chosen.texts = input.chosen.ids.map(text)
    }
}
