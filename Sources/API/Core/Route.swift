package import HTTPTypes
package import Hummingbird
package import JSON
internal import NIOCore

/// One endpoint: how it is asked, who may ask, and what answers.
package struct Route: Sendable {
    /// What answers a request.
    package typealias Handler = @Sendable (Request, RouteContext) async throws -> Response

    /// Whose key opens the route.
    package enum Access: Sendable {
        case client
        /// The admin key if one is set, else the clients'.
        case admin
    }

    package let methods: [HTTPRequest.Method]
    package let path: String
    package let access: Access
    /// How its failures are told.
    package let dialect: any Dialect
    package let handler: Handler

    package init(
        _ methods: [HTTPRequest.Method], _ path: String, _ access: Access = .client,
        in dialect: any Dialect = NativeDialect(), _ handler: @escaping Handler
    ) {
        self.methods = methods
        self.path = path
        self.access = access
        self.dialect = dialect
        self.handler = handler
    }

    /// The route, with what it does told in a log of requests.
    ///
    /// - Parameter tellsBody: requests as they were sent have lines of their own.
    package func logged(by log: RequestLog, tellsBody: Bool) -> Route {
        Route(methods, path, access, in: dialect) { [handler] request, context in
            try await log.following(request, tellsBody: tellsBody) { try await handler(request, context) }
        }
    }
}

extension Response {
    /// 200 with JSON.
    package static func json(_ value: JSONValue, status: HTTPResponse.Status = .ok) -> Response {
        json(status: status, bytes: JSON.encode(value))
    }

    /// A status with JSON that is encoded already.
    package static func json(status: HTTPResponse.Status = .ok, bytes: [UInt8]) -> Response {
        Response(
            status: status, headers: [.contentType: "application/json"],
            body: .init(byteBuffer: ByteBuffer(bytes: bytes)))
    }

    /// Text without a content type, as the reference answers its operators' routes.
    package static func text(_ text: String, status: HTTPResponse.Status = .ok) -> Response {
        Response(status: status, body: .init(byteBuffer: ByteBuffer(string: text)))
    }

    /// A status alone.
    package static func empty(_ status: HTTPResponse.Status = .ok) -> Response { Response(status: status) }
}
