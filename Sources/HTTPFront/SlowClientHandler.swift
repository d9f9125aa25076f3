internal import HTTPTypes
internal import NIOCore
internal import NIOHTTPTypes

/// Closes connections whose clients are slower than any honest one: a head that does not come to its end, a body that
/// trickles, an answer that is not read. Single bytes now and then do not buy more time.
final class SlowClientHandler: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPRequestPart
    typealias InboundOut = HTTPRequestPart
    typealias OutboundIn = HTTPResponsePart
    typealias OutboundOut = HTTPResponsePart

    /// What is too slow.
    struct Limits: Sendable {
        /// For a request's head, from the first moment it could come.
        var head = TimeAmount.seconds(10)
        /// Between two looks at a body.
        var look = TimeAmount.seconds(10)
        /// Bytes of body that have to come between two looks.
        var bytesPerLook = 5000
        /// For a client that reads nothing of its answer.
        var stall = TimeAmount.seconds(60)
    }

    private let limits: Limits
    private let register: ConnectionRegister
    private let number: UInt64
    private var deadline: Scheduled<Void>?
    private var stall: Scheduled<Void>?
    private var received = 0

    init(_ register: ConnectionRegister, number: UInt64, limits: Limits) {
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
            register.note(number, isWaiting: false)
            received = 0
            look(context)
        case .body(let bytes): received += bytes.readableBytes
        case .end: deadline?.cancel()
        }
        context.fireChannelRead(data)
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        if case .end = unwrapOutboundIn(data) {
            register.note(number, isWaiting: true)
            awaitHead(context)
        }
        context.write(data, promise: promise)
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        stall?.cancel()
        stall = nil
        if !context.channel.isWritable { stall = close(context, after: limits.stall) }
        context.fireChannelWritabilityChanged()
    }

    private func awaitHead(_ context: ChannelHandlerContext) {
        deadline?.cancel()
        deadline = close(context, after: limits.head)
    }

    /// Counts a body's bytes from time to time.
    private func look(_ context: ChannelHandlerContext) {
        deadline?.cancel()
        let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        deadline = context.eventLoop.scheduleTask(in: limits.look) {
            let (handler, context) = bound.value
            guard handler.received >= handler.limits.bytesPerLook else { return context.close(promise: nil) }
            handler.received = 0
            handler.look(context)
        }
    }

    private func close(_ context: ChannelHandlerContext, after time: TimeAmount) -> Scheduled<Void> {
        let bound = NIOLoopBound(context, eventLoop: context.eventLoop)
        return context.eventLoop.scheduleTask(in: time) { bound.value.close(promise: nil) }
    }
}
