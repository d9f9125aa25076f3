internal import NIOCore
internal import NIOTLS

/// Tells a client for whom there is no room so, without reading what it wants, and closes the connection.
final class RefusalHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private static let body = #"{"error":{"message":"too many connections","type":"unavailable"}}"#

    private let isSecure: Bool

    /// - Parameter isSecure: the client speaks TLS, so that nothing can be said before its handshake is over.
    init(isSecure: Bool) { self.isSecure = isSecure }

    func channelActive(context: ChannelHandlerContext) {
        if !isSecure { refuse(context) }
        let bound = NIOLoopBound(context, eventLoop: context.eventLoop)
        context.eventLoop.scheduleTask(in: .seconds(1)) { bound.value.close(promise: nil) }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case .handshakeCompleted? = event as? TLSUserEvent { refuse(context) }
    }

    private func refuse(_ context: ChannelHandlerContext) {
        let head = [
            "HTTP/1.1 503 Service Unavailable", "Retry-After: 1", "Connection: close", "Content-Type: application/json",
            "Content-Length: \(Self.body.utf8.count)", "", "",
        ].joined(separator: "\r\n")
        context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: head + Self.body)), promise: nil)
        // What the client has sent stays unread: closing at once would reset the connection under the answer.
        context.close(mode: .output, promise: nil)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {}
}
