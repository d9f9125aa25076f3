internal import APICore
internal import AnthropicAPI
internal import ChatAPI
internal import HTTPTypes
internal import Hummingbird
internal import Ledger
internal import NativeAPI
internal import OllamaAPI
internal import OpenAIAPI
internal import OperatorAPI
internal import ResponsesAPI
internal import ServerSettings
internal import WebPage

/// All endpoints of a front, as a router and as rules for those who may ask.
struct RouteTable: Sendable {
    /// Every endpoint.
    let routes: [Route]
    private let dialects: [String: any Dialect]
    private let adminPaths: Set<String>

    init(_ routes: [Route]) {
        self.routes = routes
        dialects = Dictionary(routes.map { ($0.path, $0.dialect) }, uniquingKeysWith: { first, _ in first })
        adminPaths = Set(routes.filter { $0.access == .admin }.map(\.path))
    }

    /// The endpoints of all interfaces.
    init(_ front: Front) {
        let planner = front.planner
        let openAI = OpenAIAPI(front.settings, front.services, planner, judges: front.model.judges).routes
        let others =
            NativeAPI(front.settings, front.services, planner).routes + AnthropicAPI(planner).routes
            + OllamaAPI(planner, servedName: front.settings.servedModelName).routes
            + ResponsesAPI(planner, servedName: front.settings.servedModelName, store: front.responses).routes
        let requestLog = front.services.requestLog
        let routes =
            others.map { $0.logged(by: requestLog, tellsBody: false) }
            + openAI.map { $0.logged(by: requestLog, tellsBody: true) }
            + OperatorAPI(front.settings, front.services, http: front.http, log: front.log).routes
            + WebPage(servesDescription: front.settings.servesDescription).routes
        let descriptions = Self.descriptions.map { description in
            description.path == Self.predictions ? description.at(front.settings.predictionPath) : description
        }
        let description = DescriptionRoutes(of: routes, descriptions, components: Self.components)
        self.init(routes + (front.settings.servesDescription ? description.routes : []))
    }

    /// What the endpoints of all interfaces take and answer.
    static let descriptions =
        NativeAPI.descriptions + OpenAIAPI.descriptions + OperatorAPI.descriptions + WebPage.descriptions
    /// Where predictions are made unless an operator says otherwise.
    private static let predictions = "/vertex_generate"
    private static let components = NativeAPI.components + OperatorAPI.components

    /// How failures are told at a path.
    func dialect(at path: String) -> any Dialect { dialects[Self.canonical(path)] ?? NativeDialect() }

    /// Whose key opens a path, however it is spelled.
    func access(to path: String) -> Route.Access {
        let path = Self.canonical(path)
        return adminPaths.contains(path) || path.hasPrefix("/hicache/") ? .admin : .client
    }

    /// The path as routes are written: the router takes no notice of slashes too many.
    private static func canonical(_ path: String) -> String {
        "/" + path.split(separator: "/").joined(separator: "/")
    }

    /// A router with all endpoints; wrong methods and unknown paths are failures too.
    var router: Router<RouteContext> {
        let router = Router(context: RouteContext.self)
        router.add(middleware: UnknownPath())
        var methods: [String: [HTTPRequest.Method]] = [:]
        for route in routes {
            methods[route.path, default: []] += route.methods
            for method in route.methods { router.on(RouterPath(route.path), method: method, use: route.handler) }
        }
        for (path, allowed) in methods {
            let others: [HTTPRequest.Method] = [.get, .head, .post, .put, .delete, .patch, .options].filter {
                !allowed.contains($0)
            }
            let list = allowed.map(\.rawValue).sorted().joined(separator: ", ")
            for method in others {
                router.on(RouterPath(path), method: method) { _, _ -> Response in
                    throw RequestFailure.wrongMethod(allowed: list)
                }
            }
        }
        return router
    }
}

/// Turns the router's own "not found" into the failure that clients know.
private struct UnknownPath: RouterMiddleware {
    func handle(
        _ request: Request, context: RouteContext, next: (Request, RouteContext) async throws -> Response
    ) async throws -> Response {
        do { return try await next(request, context) } catch let error as HTTPError where error.status == .notFound {
            throw RequestFailure.unknownPath
        }
    }
}

extension Front {
    /// Turns chats into rows.
    var planner: ChatPlanner {
        ChatPlanner(GenerationServices(settings, services), model.chatRules(settings), model.parsers)
    }

    /// Responses that are kept; nil: none are.
    var responses: ResponseStore? {
        guard settings.enableResponseStore else { return nil }
        let limits = ResponseLimits(
            count: settings.responseStoreCount, bytes: settings.responseStoreBytes, seconds: settings.responseStoreAge)
        return ResponseStore(services, limits)
    }

    /// The paths of all endpoints, as their routes write them.
    package var routePaths: [String] { RouteTable(self).routes.map(\.path) }

    /// The paths whose endpoints are described.
    package static var describedPaths: [String] { RouteTable.descriptions.map(\.path) }
}
