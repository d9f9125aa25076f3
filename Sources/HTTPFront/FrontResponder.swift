internal import HTTPTypes
internal import Hummingbird
internal import Logging
internal import ServerSettings

/// Answers one HTTP request: cross-origin rules, keys, the route, and a body for every failure.
struct FrontResponder: Sendable {
    let front: Front
    private let router: RouterResponder<FrontContext>
    private let authentication: Authentication
    private let adminPaths: Set<String>

    init(_ front: Front) {
        self.front = front
        let routes = Routes(front)
        router = routes.router.buildResponder()
        adminPaths = routes.adminPaths
        front.http.know(Set(routes.table.map(\.path)))
        authentication = Authentication(apiKey: front.settings.apiKey, adminKey: front.settings.adminAPIKey)
    }

    /// The response; its body may still be written for a long time.
    ///
    /// - Throws: `ClientGone` when there is nobody to answer.
    func respond(
        to request: Request, on connection: ClientConnection, _ share: BodyShare
    ) async throws(ClientGone) -> Response {
        var response: Response
        if request.method == .options, CrossOrigin.isPreflight(request) {
            response = CrossOrigin.preflight(request)
        } else {
            do {
                guard mayPass(request) else {
                    throw RequestFailure(status: 401, message: "Unauthorized", shape: .contract)
                }
                let context = FrontContext(source: .init(logger: front.log, connection: connection, share: share))
                response = try await router.respond(to: request, context: context)
            } catch let gone as ClientGone {
                throw gone
            } catch let failure as RequestFailure {
                response = FailureResponse.make(failure)
                if failure.status == 413 { response.headers[.connection] = "close" }
            } catch {
                front.log.error("\(request.method) \(request.uri.path) failed: \(error)")
                response = FailureResponse.make(
                    RequestFailure(status: 500, message: "Internal Server Error", shape: .text))
            }
        }
        CrossOrigin.allow(request, &response)
        return response
    }

    private func mayPass(_ request: Request) -> Bool {
        if request.method == .options { return true }
        let path = request.uri.path
        return authentication.allows(
            path: path, level: adminPaths.contains(path) || path.hasPrefix("/hicache/") ? .admin : .normal,
            authorization: request.headers[.authorization])
    }

    /// Writes the access line of a request whose response is about to leave.
    func logAccess(_ request: Request, _ status: HTTPResponse.Status, _ connection: ClientConnection) {
        front.accessLog.info("\(connection.peer) - \"\(request.method) \(request.uri) HTTP/1.1\" \(status.code)")
    }
}

/// Cross-origin rules: everybody may ask for everything, with credentials.
enum CrossOrigin {
    /// Whether a browser asks what it may do.
    static func isPreflight(_ request: Request) -> Bool {
        request.headers[.origin] != nil && request.headers[.accessControlRequestMethod] != nil
    }

    /// The answer to that question.
    static func preflight(_ request: Request) -> Response {
        var headers: HTTPFields = [
            .contentType: "text/plain; charset=utf-8", .vary: "Origin", .accessControlMaxAge: "600",
            .accessControlAllowMethods: "DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT",
        ]
        headers[.accessControlAllowHeaders] = request.headers[.accessControlRequestHeaders]
        return Response(status: .ok, headers: headers, body: .init(byteBuffer: .init(string: "OK")))
    }

    /// Adds what a browser wants to see on every response.
    static func allow(_ request: Request, _ response: inout Response) {
        guard let origin = request.headers[.origin] else { return }
        // A wildcard is not allowed together with credentials, which a preflight or a cookie announces.
        let isExplicit = request.method == .options || request.headers[.cookie] != nil
        response.headers[.accessControlAllowOrigin] = isExplicit ? origin : "*"
        response.headers[.accessControlAllowCredentials] = "true"
    }
}
