package import APICore
package import ChatAPI
internal import Hummingbird
internal import JSON
package import Ledger
internal import Messages
internal import Values

/// Responses that clients may ask for again, and those that are made while no client waits.
///
/// All of it lies in memory that outlives the front. What a front was working on when it died its successor begins anew:
/// the request has its seed, so the words are the same.
package struct ResponseStore: Sendable {
    private let services: FrontServices
    private let limits: ResponseLimits

    package init(_ services: FrontServices, _ limits: ResponseLimits) {
        self.services = services
        self.limits = limits
    }

    /// - Throws: 404 for a name that no response has, 400 for what is no name.
    func response(named id: String) throws(RequestFailure) -> StoredResponse {
        try check(id)
        guard let found = services.keepsake.response(id, within: limits) else { throw .unknownResponse(id) }
        return found
    }

    /// Keeps a response that a client has got.
    ///
    /// - Parameter conversation: the messages that it answers.
    func keep(_ row: LedgerRow, _ conversation: [JSONValue], _ writer: ResponsesWriter) {
        let stored = Self.stored(row, JSON.encodeToString(.array(conversation)), writer)
        services.keepsake.keep(stored, as: writer.id(row), within: limits)
    }

    /// - Throws: 404 for a name that no response has.
    func delete(_ id: String) throws(RequestFailure) {
        try check(id)
        if let kept = services.keepsake.response(id, within: limits), kept.hasWork { _ = try cancel(id) }
        guard services.keepsake.deleteResponse(id) else { throw .unknownResponse(id) }
    }

    /// Ends the work on a response; gives it as it is then.
    func cancel(_ id: String) throws(RequestFailure) -> JSONObject {
        try check(id)
        let before = services.keepsake.cancel(id) { $0.response = JSON.encodeToString(.object(Self.cancelled($0))) }
        guard let before else { throw .unknownResponse(id) }
        guard before.hasWork else { throw .invalid("Cannot cancel a synchronous response.") }
        let rid = String(id.dropFirst(ResponsesWriter.prefix.count))
        services.requests.handle { $0.abort(prefix: ClientName(rid), now: $1) }
        // A front that was replaced may be the one that works on it.
        let own = services.generation
        services.questions.tellFronts(
            .make {
                $0.front = own
                $0.prefix = rid
            })
        return Self.cancelled(before)
    }

    private func check(_ id: String) throws(RequestFailure) {
        guard id.hasPrefix(ResponsesWriter.prefix) else {
            throw .invalid("Invalid 'response_id': '\(id)'. Expected an ID that begins with 'resp'.")
        }
    }

    private static func cancelled(_ stored: StoredResponse) -> JSONObject {
        var object = object(stored)
        object["status"] = "cancelled"
        return object
    }

    private static func object(_ stored: StoredResponse) -> JSONObject {
        (try? JSON.parse(stored.response).objectValue) ?? [:]
    }

    /// A response that is over, with the conversation that a later one goes on from.
    ///
    /// - Parameter conversation: the text of the messages that it answers.
    private static func stored(_ row: LedgerRow, _ conversation: String, _ writer: ResponsesWriter) -> StoredResponse {
        let object = writer.object(row)
        let messages = (try? JSON.parse(conversation).arrayValue) ?? []
        return .make {
            $0.response = JSON.encodeToString(.object(object))
            $0.messages = JSON.encodeToString(.array(messages + ResponseItems.messages(of: object)))
            $0.created = row.times.received
        }
    }

    // MARK: In the background

    /// Begins a response for which no client waits; gives it as it is.
    ///
    /// - Throws: `.queueFull` where as many are being made as may be kept.
    func begin(
        _ asked: ResponsesRequest, _ chat: PlannedChat, _ planner: ChatPlanner
    ) throws(RequestFailure) -> JSONObject {
        let writer = ResponsesWriter(.init(asked.repeated, chat), chat.parts)
        var object = writer.begun(rid: chat.openings[0].rid.text, now: services.clock())
        let id = object["id"]?.stringValue ?? ""
        let stored = StoredResponse.make {
            $0.response = JSON.encodeToString(.object(object))
            $0.messages = JSON.encodeToString(.array(asked.conversation))
            $0.created = services.clock()
            $0.work = .make {
                $0.chat = JSON.encodeToString(.object(asked.chat))
                $0.front = services.generation
            }
        }
        guard services.keepsake.begin(stored, as: id, within: limits) else { throw .queueFull }
        work(on: id, stored, planner)
        object["status"] = "queued"
        return object
    }

    /// Goes on with what fronts were working on that are gone.
    package func adopt(living: Set<UInt64>, _ planner: ChatPlanner) {
        for (id, stored) in services.keepsake.adoptResponses(by: services.generation, living: living) {
            work(on: id, stored, planner)
        }
    }

    private func work(on id: String, _ stored: StoredResponse, _ planner: ChatPlanner) {
        Task {
            do { try await answer(id, stored, planner) } catch let failure as RequestFailure {
                // A front that leaves is no failure: its successor goes on.
                if failure != .draining { fail(id, stored, failure) }
            } catch {}
        }
    }

    private func answer(_ id: String, _ stored: StoredResponse, _ planner: ChatPlanner) async throws {
        let chat = try planner.plan(
            RequestFields(JSON.parse(stored.work.chat).objectValue ?? [:]), GenerationServices.Headers())
        let writer = ResponsesWriter(.init(Self.object(stored), chat), chat.parts)
        var order = chat.order
        order.onAnswer = { [self] rows in
            services.keepsake.finish(
                Self.stored(rows[0], stored.messages, writer), as: id, within: limits)
        }
        let client = NobodyWaiting { [self] in services.keepsake.response(id, within: limits)?.hasWork == true }
        _ = try await services.answering.answer(order, with: writer, for: client)
    }

    private func fail(_ id: String, _ stored: StoredResponse, _ failure: RequestFailure) {
        var object = Self.object(stored)
        object["status"] = "failed"
        object["error"] = ResponsesDialect().error(failure)
        let failed = StoredResponse.make {
            $0.response = JSON.encodeToString(.object(object))
            ($0.messages, $0.created) = (stored.messages, stored.created)
        }
        services.keepsake.finish(failed, as: id, within: limits)
    }
}

/// In the place of a client where none waits.
private final class NobodyWaiting: Client {
    let delivery: Delivery? = nil
    private let isWanted: @Sendable () -> Bool

    /// - Parameter isWanted: whether anybody will ask for the response.
    init(_ isWanted: @escaping @Sendable () -> Bool) { self.isWanted = isWanted }

    /// Called when the request is open: whoever gave it up before then found nothing to end.
    func whenClosed(_ action: @escaping @Sendable () -> Void) {
        if !isWanted() { action() }
    }

    func mayGo(_ mayGo: Bool) {}
    func keepAsking(_ asks: Bool) {}
    func after(seconds: Double, _ action: @escaping @Sendable () -> Void) { action() }
}
