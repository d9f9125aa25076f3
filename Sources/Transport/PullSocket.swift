internal import CZeroMQ
package import SwiftProtobuf

/// The consumer's end of a one-way pipe: it binds, so that producers find a restarted consumer again by themselves.
package struct PullSocket<Message: SwiftProtobuf.Message>: ~Copyable {
    private let socket: RawSocket

    /// Binds the endpoint. A socket file that a killed predecessor left behind is replaced.
    package init(binding endpoint: Endpoint, in context: Context, highWaterMark: Int32 = 10_000) throws(TransportError)
    {
        let raw = try RawSocket(ZMQ_PULL, endpoint, in: context, highWaterMark: highWaterMark)
        try raw.bind()
        socket = raw
    }

    /// The next message, or nil when none came within `timeout` (nil waits for ever, zero does not wait).
    ///
    /// - Throws: `.malformed` for a frame that is no `Message`; the socket can be used further.
    package func receive(within timeout: Duration? = nil) throws(TransportError) -> Message? {
        if let frame = try socket.receiveNow() {
            return try decodeFrame(frame, as: Message.self, from: socket.endpoint)
        }
        if timeout == .zero { return nil }
        guard try socket.wait(for: ZMQ_POLLIN, within: pollMilliseconds(timeout)) else { return nil }
        guard let frame = try socket.receiveNow() else { return nil }
        return try decodeFrame(frame, as: Message.self, from: socket.endpoint)
    }
}
