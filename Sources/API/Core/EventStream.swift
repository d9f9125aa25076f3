internal import HTTPTypes
internal import Hummingbird
internal import NIOCore

/// Frames of server-sent events: `data: ` + JSON + an empty line, and `data: [DONE]` at the end.
enum SSEWriter {
    /// Headers of a stream.
    static let headers: HTTPFields = [.contentType: "text/event-stream; charset=utf-8", .cacheControl: "no-cache"]

    private static let lead = Array("data: ".utf8)
    private static let end = Array("\n\n".utf8)
    /// The last frame of every stream.
    static let done = Array("data: [DONE]\n\n".utf8)

    /// Appends one frame.
    static func append(_ json: some Sequence<UInt8>, to buffer: inout ByteBuffer) {
        buffer.writeBytes(lead)
        buffer.writeBytes(json)
        buffer.writeBytes(end)
    }

    /// A stream of one frame.
    static func response(_ json: [UInt8]) -> Response {
        var buffer = ByteBuffer()
        append(json, to: &buffer)
        buffer.writeBytes(done)
        return Response(status: .ok, headers: headers, body: .init(byteBuffer: buffer))
    }
}
