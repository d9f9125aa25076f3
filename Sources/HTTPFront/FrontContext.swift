internal import HTTPTypes
internal import Hummingbird
internal import JSON
internal import Logging
internal import NIOCore

/// What the router hands to a route besides the request.
struct FrontContext: RequestContext {
    /// Where a context comes from: a request of one connection.
    struct Source: RequestContextSource {
        let logger: Logger
        let connection: ClientConnection
    }

    var coreContext: CoreRequestContextStorage
    let connection: ClientConnection

    init(source: Source) {
        coreContext = .init(source: source)
        connection = source.connection
    }
}

extension Response {
    /// 200 with JSON.
    static func json(_ value: JSONValue) -> Response { json(bytes: JSON.encode(value)) }

    /// A status with JSON that is encoded already.
    static func json(status: HTTPResponse.Status = .ok, bytes: [UInt8]) -> Response {
        Response(
            status: status, headers: [.contentType: "application/json"],
            body: .init(byteBuffer: ByteBuffer(bytes: bytes)))
    }

    /// Text without a content type, as the reference answers its operators' routes.
    static func text(_ text: String, status: HTTPResponse.Status = .ok) -> Response {
        Response(status: status, body: .init(byteBuffer: ByteBuffer(string: text)))
    }

    /// A status alone.
    static func empty(_ status: HTTPResponse.Status = .ok) -> Response { Response(status: status) }
}

extension Request {
    /// The whole body.
    ///
    /// - Throws: 413 for one beyond the server's limit, `ClientGone` for one that does not come to its end.
    func bytes(upTo limit: Int) async throws -> [UInt8] {
        let tooLarge = RequestFailure(
            status: 413, message: "The request body is larger than \(limit) bytes (--max-body-size).", shape: .semantic)
        if let length = headers[.contentLength].flatMap({ Int($0) }), length > limit { throw tooLarge }
        do {
            return Array(buffer: try await body.collect(upTo: limit))
        } catch is NIOTooManyBytesError {
            throw tooLarge
        } catch {
            // The client went away in the middle of its request.
            throw ClientGone()
        }
    }
}
