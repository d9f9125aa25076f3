internal import APICore
internal import CPlatform
internal import HTTPTypes
internal import NIOCore
internal import NIOHTTPTypes

/// Closes connections whose clients are slower than any honest one, as a `SlowClientWatch` judges them.
final class SlowClientHandler: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPRequestPart
    typealias InboundOut = HTTPRequestPart
    typealias OutboundIn = HTTPResponsePart
    typealias OutboundOut = HTTPResponsePart

    private var watch: SlowClientWatch
    private let register: ConnectionRegister
    private let number: UInt64
    /// The next look, and when it comes.
    private var look: (task: Scheduled<Void>, at: Duration)?

    init(_ register: ConnectionRegister, number: UInt64, limits: SlowClientLimits) {
        self.register = register
        self.number = number
        watch = SlowClientWatch(limits, now: Self.now)
    }

    private static var now: Duration { .nanoseconds(NIODeadline.now().uptimeNanoseconds) }

    func handlerAdded(context: ChannelHandlerContext) { plan(context) }

    func handlerRemoved(context: ChannelHandlerContext) { look?.task.cancel() }

    func channelInactive(context: ChannelHandlerContext) {
        look?.task.cancel()
        look = nil
        context.fireChannelInactive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head: watch.head(now: Self.now)
        case .body(let bytes): watch.body(bytes.readableBytes)
        // Only now is the client owed an answer: until then it may be one that just takes room.
        case .end: if watch.end() { register.note(number, isWaiting: false) }
        }
        plan(context)
        context.fireChannelRead(data)
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        if case .end = unwrapOutboundIn(data), watch.answered(now: Self.now) {
            register.note(number, isWaiting: true)
            plan(context)
        }
        context.write(data, promise: promise)
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable {
            watch.unblocked()
        } else {
            watch.blocked(acknowledged: context.channel.delivery?.acknowledged ?? 0, now: Self.now)
        }
        plan(context)
        context.fireChannelWritabilityChanged()
    }

    /// Has the watch asked when its deadline comes.
    private func plan(_ context: ChannelHandlerContext) {
        guard watch.deadline != look?.at else { return }
        look?.task.cancel()
        look = nil
        guard let deadline = watch.deadline else { return }
        let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        let task = context.eventLoop.scheduleTask(in: TimeAmount(max(.zero, deadline - Self.now))) {
            let (handler, context) = bound.value
            handler.look = nil
            handler.judge(context)
        }
        look = (task, deadline)
    }

    private func judge(_ context: ChannelHandlerContext) {
        switch watch.due(acknowledged: context.channel.delivery?.acknowledged ?? 0, now: Self.now) {
        case .reset?:
            // Without this the kernel would hold the connection until the client takes what is on its way.
            _ = context.channel.withSocket { platform_reset_on_close($0) }
            context.close(promise: nil)
        case .close?: context.close(promise: nil)
        case nil: plan(context)
        }
    }

    /// The first bytes of a request, before anybody can tell what they are; stands in front of all other handlers.
    final class Arrivals: ChannelInboundHandler, RemovableChannelHandler {
        typealias InboundIn = ByteBuffer
        private let handler: SlowClientHandler
        private let context: ChannelHandlerContext

        /// - Parameter context: the handler's own.
        init(_ handler: SlowClientHandler, _ context: ChannelHandlerContext) {
            self.handler = handler
            self.context = context
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            handler.watch.arrived(now: SlowClientHandler.now)
            handler.plan(self.context)
            context.fireChannelRead(data)
        }
    }
}
