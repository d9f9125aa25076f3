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
        let share: BodyShare
    }

    var coreContext: CoreRequestContextStorage
    let connection: ClientConnection
    /// What the request's body holds of the front's memory.
    let share: BodyShare

    init(source: Source) {
        coreContext = .init(source: source)
        connection = source.connection
        share = source.share
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
    /// The whole body; it counts against the front's memory until the request's answer has ended.
    ///
    /// - Throws: 413 for one beyond the server's limit, 503 when all bodies together are too large, `ClientGone` for one
    ///   that does not come to its end.
    func bytes(upTo limit: Int, _ context: FrontContext) async throws -> [UInt8] {
        let tooLarge = RequestFailure(
            status: 413, message: "The request body is larger than \(limit) bytes (--max-body-size).", shape: .semantic)
        if let length = headers[.contentLength].flatMap({ Int($0) }), length > limit { throw tooLarge }
        var bytes: [UInt8] = []
        do {
            for try await piece in body {
                try context.share.take(piece.readableBytes)
                bytes += piece.readableBytesView
                guard bytes.count <= limit else { throw tooLarge }
            }
            return bytes
        } catch let failure as RequestFailure {
            throw failure
        } catch {
            // The client went away in the middle of its request.
            throw ClientGone()
        }
    }
}
