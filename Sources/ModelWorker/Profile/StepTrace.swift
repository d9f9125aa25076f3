internal import JSON
package import Scheduling

/// What a worker did, as the events of a trace that Chrome and Perfetto open: a value, told moment by moment.
///
/// Times are monotonic seconds. A trace grows to its limit of events; later ones are counted and dropped.
package struct StepTrace: Sendable {
    /// What the worker's one thread does, part by part.
    package enum Part: String, Sendable {
        case receive, schedule, forward, logits, choose, send
    }

    private enum Event: Sendable {
        /// A part of the thread's work.
        case part(Part, begin: Double, end: Double)
        case step(Int, prompts: Int, decoding: Int, cached: Int, begin: Double, end: Double)
        /// A request comes into a state, which ends where the next begins.
        case request(UInt64, RequestState, at: Double)
        case load(waiting: Int, running: Int, at: Double)
    }

    /// Where a request is.
    package enum RequestState: String, Sendable {
        /// Between the front and this process: other processes, and what lies between them.
        case onItsWay = "on its way"
        case waiting, running, over
    }

    private let began: Double
    private let limit: Int
    private var events: [Event] = []
    private var dropped = 0
    package private(set) var steps = 0
    /// Requests of the trace that are not over, with the state they are in.
    private var open: [UInt64: RequestState] = [:]

    /// - Parameter limit: most events.
    package init(now: Double, limit: Int = 400_000) {
        began = now
        self.limit = limit
    }

    // MARK: Telling it

    private mutating func add(_ event: Event) {
        if events.count < limit { events.append(event) } else { dropped += 1 }
    }

    /// A part of the work took so long.
    package mutating func note(_ part: Part, from begin: Double, to end: Double) {
        add(.part(part, begin: begin, end: end))
    }

    /// A step was computed.
    package mutating func note(_ batch: Batch, from begin: Double, to end: Double) {
        steps += 1
        add(
            .step(
                steps, prompts: batch.prefillTokens, decoding: batch.rowCount - batch.prefillTokens,
                cached: batch.admittedCachedTokens, begin: begin, end: end))
    }

    /// A request has come; the front sent it `sent` seconds before, where that is known.
    package mutating func arrived(_ id: UInt64, sent: Double?, now: Double) {
        guard open[id] == nil else { return }
        if let sent, sent > 0 { add(.request(id, .onItsWay, at: now - sent)) }
        move(id, to: .waiting, now: now)
    }

    /// A batch was made: requests begin to run, or lost their slots to others.
    package mutating func planned(_ batch: Batch, now: Double) {
        for id in batch.retracted + batch.preempted { move(id, to: .waiting, now: now) }
        for id in batch.admitted where open[id] != .running { move(id, to: .running, now: now) }
    }

    /// A request is over.
    package mutating func ended(_ id: UInt64, now: Double) {
        guard open[id] != nil else { return }
        add(.request(id, .over, at: now))
        open[id] = nil
    }

    private mutating func move(_ id: UInt64, to state: RequestState, now: Double) {
        open[id] = state
        add(.request(id, state, at: now))
    }

    /// So many requests wait and run.
    package mutating func note(waiting: Int, running: Int, now: Double) {
        add(.load(waiting: waiting, running: running, at: now))
    }

    // MARK: Writing it

    /// The trace in Chrome's format; requests that are not over end `now`.
    ///
    /// - Parameters:
    ///   - kernels: loops of the compute threads, in nanoseconds of the same clock.
    ///   - process: the worker's id and title.
    package func json(
        kernels: [(name: String, begin: Int64, end: Int64)], process: (id: Int, title: String), now: Double
    )
        -> [UInt8]
    {
        var writer = TraceWriter(process: process.id, began: began)
        writer.name(process: process.title)
        for event in events { write(event, to: &writer) }
        for (id, _) in open.sorted(by: { $0.key < $1.key }) { writer.request(id, RequestState.over.rawValue, at: now) }
        for kernel in kernels {
            writer.span(
                Self.kernelNames[kernel.name] ?? kernel.name, .kernels, Double(kernel.begin) * 1e-9,
                Double(kernel.end) * 1e-9)
        }
        return writer.finish(dropped: dropped)
    }

    private func write(_ event: Event, to writer: inout TraceWriter) {
        switch event {
        case .part(let part, let begin, let end):
            writer.span(part.rawValue, part == .receive || part == .send ? .pipes : .worker, begin, end)
        case .step(let number, let prompts, let decoding, let cached, let begin, let end):
            writer.span(
                prompts > 0 ? "prefill" : "decode", .steps, begin, end,
                [
                    "step": .int(Int64(number)), "prompt_tokens": .int(Int64(prompts)),
                    "decoding": .int(Int64(decoding)), "cached_tokens": .int(Int64(cached)),
                ])
        case .request(let id, let state, let time): writer.request(id, state.rawValue, at: time)
        case .load(let waiting, let running, let time):
            writer.counter("requests", ["waiting": .int(Int64(waiting)), "running": .int(Int64(running))], at: time)
        }
    }

    /// What the loops of kernels are called in a trace.
    private static let kernelNames = [
        "pack_tiles": "pack activations", "multiply_blocks": "matmul", "quantize_tiles": "quantize activations",
        "few ? few_rows : many_rows": "quantized matmul", "attend_items": "attention",
        "merge_items": "attention: merge", "rope_rows": "rotary embedding", "add_pieces": "sum of ranks",
        "rows": "row operation", "logit_rows": "logits",
    ]
}
