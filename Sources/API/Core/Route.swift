internal import HTTPTypes
internal import Hummingbird

/// The table of endpoints.
struct Routes: Sendable {
    /// What answers a request.
    typealias Handler = @Sendable (Request, FrontContext) async throws -> Response

    /// One endpoint.
    struct Route: Sendable {
        let methods: [HTTPRequest.Method]
        let path: String
        var level = Authentication.Level.normal
        let handler: Handler

        init(
            _ methods: [HTTPRequest.Method], _ path: String, _ level: Authentication.Level = .normal,
            _ handler: @escaping Handler
        ) {
            self.methods = methods
            self.path = path
            self.level = level
            self.handler = handler
        }
    }

    /// Every endpoint of this front.
    let table: [Route]

    init(_ front: Front) {
        table =
            GenerateRoute(front: front).routes + ModelRoutes(front: front).routes
            + ServerInfoRoutes(front: front).routes
            + HealthRoutes(front: front).routes + MetricsRoutes(front: front).routes + LoadRoutes(front: front).routes
            + ControlRoutes(front: front).routes
            + TextRoutes(front: front).routes + SessionRoutes(front: front).routes + MissingRoutes(front: front).routes
    }

    /// Paths that ask for the admin key.
    var adminPaths: Set<String> { Set(table.filter { $0.level == .admin }.map(\.path)) }

    /// A router with all endpoints; wrong methods and unknown paths have their bodies.
    var router: Router<FrontContext> {
        let router = Router(context: FrontContext.self)
        router.add(middleware: UnknownPath())
        var methods: [String: [HTTPRequest.Method]] = [:]
        for route in table {
            methods[route.path, default: []] += route.methods
            for method in route.methods { router.on(RouterPath(route.path), method: method, use: route.handler) }
        }
        for (path, allowed) in methods {
            let others: [HTTPRequest.Method] = [.get, .head, .post, .put, .delete, .patch, .options].filter {
                !allowed.contains($0)
            }
            let header = allowed.map(\.rawValue).sorted().joined(separator: ", ")
            for method in others {
                router.on(RouterPath(path), method: method) { _, _ -> Response in
                    var response = FailureResponse.make(
                        RequestFailure(status: 405, message: "Method Not Allowed", shape: .detail))
                    response.headers[.allow] = header
                    return response
                }
            }
        }
        return router
    }
}

/// Turns the router's own "not found" into the body that clients know.
private struct UnknownPath: RouterMiddleware {
    func handle(
        _ request: Request, context: FrontContext, next: (Request, FrontContext) async throws -> Response
    ) async throws -> Response {
        do { return try await next(request, context) } catch let error as HTTPError where error.status == .notFound {
            throw RequestFailure(status: 404, message: "Not Found", shape: .detail)
        }
    }
}
