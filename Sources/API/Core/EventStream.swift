internal import HTTPTypes
package import Hummingbird
package import NIOCore

/// What a stream is made of.
package enum StreamForm: Sendable {
    /// Server-sent events.
    case events
    /// Lines of JSON.
    case lines
}

/// Frames of server-sent events: `data: ` + JSON + an empty line.
package enum EventStream {
    private static let headers: HTTPFields = [
        .contentType: "text/event-stream; charset=utf-8", .cacheControl: "no-cache",
    ]
    private static let lead = Array("data: ".utf8)
    private static let end = Array("\n\n".utf8)

    /// The frame that ends the streams of SGLang and OpenAI.
    package static let done = Array("data: [DONE]\n\n".utf8)

    /// Appends one frame.
    package static func append(_ json: some Sequence<UInt8>, to buffer: inout ByteBuffer) {
        buffer.writeBytes(lead)
        buffer.writeBytes(json)
        buffer.writeBytes(end)
    }

    /// Appends one frame with a name.
    package static func append(_ json: some Sequence<UInt8>, event name: String, to buffer: inout ByteBuffer) {
        buffer.writeString("event: ")
        buffer.writeString(name)
        buffer.writeInteger(UInt8(ascii: "\n"))
        append(json, to: &buffer)
    }

    /// A stream whose frames `body` writes.
    package static func response(_ body: ResponseBody, as form: StreamForm = .events) -> Response {
        switch form {
        case .events: Response(status: .ok, headers: headers, body: body)
        case .lines: Response(status: .ok, headers: [.contentType: "application/x-ndjson"], body: body)
        }
    }
}
