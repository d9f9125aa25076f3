internal import CZeroMQ
package import SwiftProtobuf

/// A producer's end of a one-way pipe. Nothing is queued for a consumer that is not there.
package struct PushSocket<Message: SwiftProtobuf.Message>: ~Copyable, Sendable {
    private let endpoint: Endpoint
    private let socket: SocketOwner

    /// Connects to the endpoint, whether or not its consumer is there yet.
    package init(connecting endpoint: Endpoint, in context: Context, highWaterMark: Int32 = 10_000)
        throws(TransportError)
    {
        let raw = try RawSocket(ZMQ_PUSH, endpoint, in: context, highWaterMark: highWaterMark)
        raw.set(ZMQ_IMMEDIATE, 1)
        try raw.connect()
        self.endpoint = endpoint
        socket = SocketOwner(raw)
    }

    /// Hands the message to ZeroMQ.
    ///
    /// - Throws: `.timedOut` when no consumer took it in time: it died, or it is so slow that its queue is full.
    package func send(_ message: Message, within timeout: Duration = .seconds(5)) throws(TransportError) {
        let frame = encodeFrame(message)
        if try socket.raw.sendNow(frame) { return }
        guard timeout > .zero, try socket.raw.wait(for: ZMQ_POLLOUT, within: pollMilliseconds(timeout)),
            try socket.raw.sendNow(frame)
        else { throw .timedOut(endpoint: endpoint.path) }
    }
}

/// Closes a socket with its last user.
final class SocketOwner: @unchecked Sendable {
    // Invariant: the owner of the PushSocket uses it from one thread at a time (a Mutex where threads share it).
    let raw: RawSocket

    init(_ raw: consuming RawSocket) { self.raw = raw }
}
