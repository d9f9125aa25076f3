internal import Hummingbird
internal import JSON
internal import ServerSettings

/// Opens and closes conversations whose history the front keeps.
struct SessionRoutes: Sendable {
    let front: Front

    var routes: [Routes.Route] {
        [
            .init([.get, .post], "/open_session") { [self] in try await open($0, $1) },
            .init([.get, .post], "/close_session") { [self] in try await close($0, $1) },
        ]
    }

    private func open(_ request: Request, _ context: FrontContext) async throws -> Response {
        let fields = try RequestFields(body: try await request.bytes(upTo: front.settings.maxBodySize, context))
        _ = try fields.required("capacity_of_str_len", fields.int)
        let timeout = try fields.double("timeout")
        if try fields.bool("streaming") {
            throw RequestFailure.semantic(
                "Streaming sessions are disabled. Please relaunch with --enable-streaming-session.")
        }
        let id = try fields.string("session_id") ?? GeneratePlan.freshRid()
        guard front.sessions.open(id, timeout: timeout, now: front.clock()) else {
            throw RequestFailure.semantic(
                "Failed to open the session. Check if a session with the same id is still open.")
        }
        return .json(.string(id))
    }

    private func close(_ request: Request, _ context: FrontContext) async throws -> Response {
        let fields = try RequestFields(body: try await request.bytes(upTo: front.settings.maxBodySize, context))
        front.sessions.close(try fields.required("session_id", fields.string))
        return .empty()
    }
}
