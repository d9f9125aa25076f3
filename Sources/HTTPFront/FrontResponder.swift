internal import APICore
internal import HTTPTypes
internal import Hummingbird
internal import Ledger
internal import Logging
internal import OperatorAPI
internal import ServerSettings
internal import WebPage

/// Answers one HTTP request: cross-origin rules, keys, the route, and its dialect's words for every failure.
struct FrontResponder: Sendable {
    let front: Front
    private let table: RouteTable
    private let router: RouterResponder<RouteContext>
    private let authentication: Authentication

    init(_ front: Front) {
        self.front = front
        table = RouteTable(front)
        router = table.router.buildResponder()
        front.http.know(Set(table.routes.map(\.path) + WebPage.filePaths))
        authentication = Authentication(apiKey: front.settings.apiKey, adminKey: front.settings.adminAPIKey)
    }

    /// The response; its body may still be written for a long time.
    ///
    /// - Throws: `ClientGone` when there is nobody to answer.
    func respond(
        to request: Request, for client: any Client, _ share: BodyShare
    ) async throws(ClientGone) -> Response {
        var response: Response
        if request.method == .options, CrossOrigin.isPreflight(request) {
            response = CrossOrigin.preflight(request)
        } else {
            do {
                guard mayPass(request) else { throw RequestFailure.unauthorized }
                let context = RouteContext(source: .init(logger: front.log, client: client, share: share))
                response = try await router.respond(to: request, context: context)
            } catch let gone as ClientGone {
                throw gone
            } catch let failure as RequestFailure {
                response = table.dialect(at: request.uri.path).response(to: failure)
            } catch {
                front.log.error("\(request.method) \(request.uri.path) failed: \(error)")
                response = table.dialect(at: request.uri.path).response(to: .unexpected)
            }
        }
        CrossOrigin.allow(request, &response)
        return response
    }

    private func mayPass(_ request: Request) -> Bool {
        if request.method == .options || WebPage.isOpen(request) { return true }
        let path = request.uri.path
        // Clients of Anthropic's interface send their key in a header of its own.
        let key = path.hasPrefix("/v1/messages") ? request.headers[.init("x-api-key")!].map { "Bearer \($0)" } : nil
        return authentication.allows(
            path: path, access: table.access(to: path), authorization: request.headers[.authorization] ?? key)
    }
}
