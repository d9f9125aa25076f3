package import Hummingbird
internal import JSON
package import Ledger
internal import NIOCore

/// The way from rows that are to be opened to an answer, the same for every interface: opens them, waits for news, has the
/// writer turn these into bytes, and closes them on every way out.
package struct Answering: Sendable {
    private let requests: OpenRequests
    private let gate: @Sendable () -> AdmissionGate
    private let log: RequestLog
    private let clock: @Sendable () -> Double

    /// - Parameters:
    ///   - gate: how many requests may come in at this moment.
    ///   - clock: seconds since 1970.
    package init(
        _ requests: OpenRequests, gate: @escaping @Sendable () -> AdmissionGate, log: RequestLog,
        clock: @escaping @Sendable () -> Double
    ) {
        self.requests = requests
        self.gate = gate
        self.log = log
        self.clock = clock
    }

    /// What a request asks for.
    package struct Order: Sendable {
        package var openings: [RequestLedger.Opening]
        /// The client wants to see the answer grow.
        package var isStreamed: Bool
        /// A stream that fails before its first news has a status instead: it begins only with that news.
        package var tellsEarlyFailures = false
        /// It may stand in logs of requests.
        package var isLogged = true
        /// Headers of the request that logs tell.
        var headers = JSONObject()
        /// What a stream is made of.
        package var form = StreamForm.events
        /// Is told the rows of an answer that is out, unless the client sees a failure in its place.
        package var onAnswer: @Sendable ([LedgerRow]) -> Void

        package init(
            _ openings: [RequestLedger.Opening], isStreamed: Bool,
            onAnswer: @escaping @Sendable ([LedgerRow]) -> Void = { _ in }
        ) {
            self.openings = openings
            self.isStreamed = isStreamed
            self.onAnswer = onAnswer
        }
    }

    /// The answer to an order, for a client that may go away meanwhile.
    ///
    /// - Throws: the failure that the client sees in place of an answer, or `ClientGone`.
    package func answer(_ order: Order, with writer: some AnswerWriter, for client: any Client) async throws -> Response
    {
        var order = order
        order.headers = LoggedExchange.current?.headers ?? JSONObject()
        let open: OpenRequest
        do {
            open = try requests.open(order.openings, gate())
        } catch let failure {
            guard order.isStreamed else { throw failure }
            return try refuse(failure, with: writer)
        }
        client.whenClosed { open.close() }
        log.received(order)
        if order.isStreamed {
            let first = order.tellsEarlyFailures ? try await begin(open) : nil
            return stream(open, order, writer, client, first: first)
        }
        defer { open.close() }
        return try await whole(open, order, writer)
    }

    /// The answer to a client that asked for a stream and was refused: a short stream, or a status.
    ///
    /// - Throws: `failure` where the interface tells it by a status.
    package func refuse(_ failure: RequestFailure, with writer: some AnswerWriter) throws(RequestFailure) -> Response {
        guard let frames = writer.refusal(failure, now: clock()) else { throw failure }
        return EventStream.response(.init(byteBuffer: frames))
    }

    private func whole(_ open: OpenRequest, _ order: Order, _ writer: some AnswerWriter) async throws -> Response {
        let rows = try await open.settled()
        for row in rows {
            if let failure = row.failure { throw failure }
        }
        log.finished(rows, order)
        order.onAnswer(rows)
        var writer = writer
        return .json(bytes: try writer.whole(rows, now: clock()))
    }

    /// The first news of a stream that began well.
    private func begin(_ open: OpenRequest) async throws -> [LedgerRow] {
        do {
            let rows = try await open.news()
            if let failure = rows.lazy.compactMap(\.failure).first { throw failure }
            return rows
        } catch {
            open.close()
            throw error
        }
    }

    private func stream(
        _ open: OpenRequest, _ order: Order, _ writer: some AnswerWriter, _ client: any Client, first: [LedgerRow]?
    ) -> Response {
        EventStream.response(
            ResponseBody { output in
                defer { open.close() }
                var writer = writer
                var waiting = first
                var watch = ReadingWatch(now: clock())
                while !writer.isOver {
                    let rows: [LedgerRow]
                    if let begun = waiting { rows = begun } else { rows = try await open.news() }
                    waiting = nil
                    let buffer = writer.frames(rows, now: clock())
                    log.finished(rows.filter { $0.isEnded && $0.failure == nil }, order)
                    if writer.isOver, rows.allSatisfy({ $0.failure == nil }) { order.onAnswer(rows) }
                    try await output.write(buffer)
                    guard !writer.isOver else { break }
                    if watch.wantsLook(now: clock()) { watch.look(client.delivery, now: clock()) }
                    if watch.isStalled(now: clock()) { await letCatchUp(open, &watch, client) }
                }
                try await output.finish(nil)
            }, as: order.form)
    }

    /// Has a stream whose client does not read wait until it does, if it is in the way of others.
    private func letCatchUp(_ open: OpenRequest, _ watch: inout ReadingWatch, _ client: any Client) async {
        guard open.setAside() else { return }
        client.mayGo(true)
        // Small gains a kernel does not tell by itself.
        client.keepAsking(true)
        let end = watch.pause(now: clock())
        while !open.isOver, clock() < end {
            client.after(seconds: ReadingWatch.interval) { open.wake() }
            await open.wait()
            if watch.hasRead(client.delivery, now: clock()) { break }
        }
        client.keepAsking(false)
        client.mayGo(false)
    }
}
