internal import NIOCore
internal import NIOHTTP1

/// Keeps a connection to its `ConnectionTerms`, and writes a line for each answer.
final class ConnectionTermsHandler: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = HTTPServerRequestPart
    typealias OutboundIn = HTTPServerResponsePart
    typealias OutboundOut = HTTPServerResponsePart

    private var terms: ConnectionTerms
    private let logAnswer: (ConnectionTerms.Asked, HTTPResponseStatus) -> Void

    /// - Parameter logAnswer: is told each request when its answer begins to leave.
    init(_ terms: ConnectionTerms, logAnswer: @escaping (ConnectionTerms.Asked, HTTPResponseStatus) -> Void) {
        self.terms = terms
        self.logAnswer = logAnswer
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !terms.isOver else { return }
        guard case .head(var head) = unwrapInboundIn(data) else { return context.fireChannelRead(data) }
        terms.receive(&head)
        context.fireChannelRead(wrapInboundOut(.head(head)))
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        switch unwrapOutboundIn(data) {
        case .head(var head) where head.status.code >= 200:
            if let asked = terms.answer(&head) { logAnswer(asked, head.status) }
            context.write(wrapOutboundOut(.head(head)), promise: promise)
        case .head where !terms.takesInterimAnswers: promise?.succeed()
        case .end where terms.end():
            // Not before all of the answer has left.
            let written = promise ?? context.eventLoop.makePromise()
            let bound = NIOLoopBound(context, eventLoop: context.eventLoop)
            written.futureResult.whenComplete { _ in bound.value.close(mode: .output, promise: nil) }
            context.write(data, promise: written)
        case .head, .body, .end: context.write(data, promise: promise)
        }
    }
}
