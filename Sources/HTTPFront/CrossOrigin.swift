internal import HTTPTypes
internal import Hummingbird

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
