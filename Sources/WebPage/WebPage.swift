package import APICore
internal import HTTPTypes
package import Hummingbird
internal import JSON
internal import Ledger

/// What the server shows to people with a browser: a chat and the state of its processes at `/`, its endpoints at `/docs`.
///
/// The files lie in the binary, and nothing comes from elsewhere. They are the same for everybody and need no key; what they show
/// comes from endpoints that do.
package struct WebPage: Sendable {
    /// Every endpoint of the page.
    package let routes: [Route]

    /// - Parameter servesDescription: `/docs` is there.
    package init(servesDescription: Bool) {
        let root = Route([.get, .head], "/") { request, _ in
            Self.isForPeople(request) ? try Self.file("index.html", request) : .json("SGLang is running")
        }
        let files = Route([.get, .head], Self.folder + ":file") { request, context in
            try Self.file(context.parameters.get("file") ?? "", request)
        }
        let docs = Route([.get, .head], "/docs") { request, _ in try Self.file("docs.html", request) }
        routes = [root, files] + (servesDescription ? [docs] : [])
    }

    /// Where the files lie.
    static let folder = "/page/"

    /// The paths of all files.
    package static let filePaths = PageFile.all.keys.map { folder + $0 }

    /// Whether a request gets its answer without a key.
    package static func isOpen(_ request: Request) -> Bool {
        guard request.method == .get || request.method == .head else { return false }
        let path = request.uri.path
        return path.hasPrefix(folder) || (path == "/" || path == "/docs") && isForPeople(request)
    }

    /// A browser asks for pages by name, and programs do not.
    private static func isForPeople(_ request: Request) -> Bool {
        let accepted = AcceptedTypes(request.headers[.accept] ?? "")
        return accepted.quality(of: "text/html") > accepted.quality(of: "application/json")
    }

    private static func file(_ name: String, _ request: Request) throws(RequestFailure) -> Response {
        guard let file = PageFile.all[name] else { throw .unknownPath }
        return file.response(to: request)
    }
}
