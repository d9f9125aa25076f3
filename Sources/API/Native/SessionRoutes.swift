internal import APICore
internal import Hummingbird
internal import JSON
internal import Ledger
internal import Values

/// Opens and closes conversations whose history the front keeps.
struct SessionRoutes: Sendable {
    let keepsake: FrontKeepsake

    var routes: [Route] {
        [
            Route([.get, .post], "/open_session") { [self] in try await open($0, $1) },
            Route([.get, .post], "/close_session") { [self] in try await close($0, $1) },
        ]
    }

    private func open(_ request: Request, _ context: RouteContext) async throws -> Response {
        let fields = try await request.fields(context)
        _ = try fields.required("capacity_of_str_len", fields.int)
        let timeout = try fields.double("timeout")
        if try fields.bool("streaming") {
            throw RequestFailure.noStreamingSessions
        }
        let id = try fields.string("session_id") ?? RequestNames.fresh()
        guard keepsake.open(ClientName(id), timeout: timeout) else {
            throw RequestFailure.invalid(
                "Failed to open the session. Check if a session with the same id is still open.")
        }
        return .json(.string(id))
    }

    private func close(_ request: Request, _ context: RouteContext) async throws -> Response {
        let fields = try await request.fields(context)
        keepsake.close(ClientName(try fields.required("session_id", fields.string)))
        return .empty()
    }
}
