internal import APICore
internal import CPlatform
internal import HTTPTypes
internal import NIOCore
internal import NIOHTTPTypes

/// What no honest client is slower than.
package struct SlowClientLimits: Sendable {
    /// For a request's head, from the first moment it could come.
    package var head = Duration.seconds(10)
    /// Between two looks at a body.
    package var look = Duration.seconds(10)
    /// Bytes of body that have to come between two looks.
    package var bytesPerLook = 5000
    /// For a client that takes nothing of its answer.
    package var stall = Duration.seconds(60)

    /// The usual limits.
    package init() {}
}

/// Closes connections whose clients are slower than any honest one: a head that does not come to its end, a body that
/// trickles, an answer that is not read. Single bytes now and then do not buy more time.
final class SlowClientHandler: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPRequestPart
    typealias InboundOut = HTTPRequestPart
    typealias OutboundIn = HTTPResponsePart
    typealias OutboundOut = HTTPResponsePart

    private let limits: SlowClientLimits
    private let register: ConnectionRegister
    private let number: UInt64
    private var deadline: Scheduled<Void>?
    private var stall: Scheduled<Void>?
    private var received = 0
    /// Requests whose answer is not out; more than one where a client sends the next before it has the last answer.
    private var unanswered = 0

    init(_ register: ConnectionRegister, number: UInt64, limits: SlowClientLimits) {
        self.register = register
        self.number = number
        self.limits = limits
    }

    func handlerAdded(context: ChannelHandlerContext) { awaitHead(context) }

    func handlerRemoved(context: ChannelHandlerContext) {
        deadline?.cancel()
        stall?.cancel()
    }

    func channelInactive(context: ChannelHandlerContext) {
        deadline?.cancel()
        stall?.cancel()
        context.fireChannelInactive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head:
            unanswered += 1
            received = 0
            look(context)
        case .body(let bytes): received += bytes.readableBytes
        case .end where unanswered > 0:
            deadline?.cancel()
            // Only now is the client owed an answer: until then it may be one that just takes room.
            register.note(number, isWaiting: false)
        case .end:
            // It was answered before it had sent everything, and waits already.
            break
        }
        context.fireChannelRead(data)
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        if case .end = unwrapOutboundIn(data) {
            unanswered -= 1
            if unanswered == 0 {
                register.note(number, isWaiting: true)
                awaitHead(context)
            }
        }
        context.write(data, promise: promise)
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        stall?.cancel()
        stall = nil
        if !context.channel.isWritable { watchProgress(context) }
        context.fireChannelWritabilityChanged()
    }

    /// Closes the connection unless the client's kernel has confirmed more of the answer by the next look.
    private func watchProgress(_ context: ChannelHandlerContext) {
        let before = context.channel.delivery?.acknowledged ?? 0
        let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        stall = context.eventLoop.scheduleTask(in: TimeAmount(limits.stall)) {
            let (handler, context) = bound.value
            if context.channel.delivery?.acknowledged ?? 0 > before { return handler.watchProgress(context) }
            // Without this the kernel would hold the connection until the client takes what is on its way.
            _ = context.channel.withSocket { platform_reset_on_close($0) }
            context.close(promise: nil)
        }
    }

    private func awaitHead(_ context: ChannelHandlerContext) {
        deadline?.cancel()
        deadline = close(context, after: limits.head)
    }

    /// Counts a body's bytes from time to time.
    private func look(_ context: ChannelHandlerContext) {
        deadline?.cancel()
        let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        deadline = context.eventLoop.scheduleTask(in: TimeAmount(limits.look)) {
            let (handler, context) = bound.value
            guard handler.received >= handler.limits.bytesPerLook else { return context.close(promise: nil) }
            handler.received = 0
            handler.look(context)
        }
    }

    private func close(_ context: ChannelHandlerContext, after time: Duration) -> Scheduled<Void> {
        let bound = NIOLoopBound(context, eventLoop: context.eventLoop)
        return context.eventLoop.scheduleTask(in: TimeAmount(time)) { bound.value.close(promise: nil) }
    }
}

/// Tells a client for whom there is no room so, without reading what it wants, and closes the connection.
final class RefusalHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private static let body = #"{"error":{"message":"too many connections","type":"unavailable"}}"#

    func channelActive(context: ChannelHandlerContext) {
        let head = [
            "HTTP/1.1 503 Service Unavailable", "Retry-After: 1", "Connection: close", "Content-Type: application/json",
            "Content-Length: \(Self.body.utf8.count)", "", "",
        ].joined(separator: "\r\n")
        context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: head + Self.body)), promise: nil)
        // What the client has sent stays unread: closing at once would reset the connection under the answer.
        context.close(mode: .output, promise: nil)
        let bound = NIOLoopBound(context, eventLoop: context.eventLoop)
        context.eventLoop.scheduleTask(in: .seconds(1)) { bound.value.close(promise: nil) }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {}
}
