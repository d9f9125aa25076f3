import NIOCore
import NIOHTTP1

/// One request on a connection of its own, from its first byte to the end of its answer.
final class HTTPExchange: ChannelInboundHandler {
    typealias InboundIn = HTTPClientResponsePart
    typealias OutboundOut = HTTPClientRequestPart

    private let request: EncodedRequest
    private let target: Target
    private let epoch: NIODeadline
    private let timeout: TimeAmount
    private var onEnd: ((RequestRecord) -> Void)?
    private var deadline: Scheduled<Void>?
    private var record: RequestRecord
    private var status = HTTPResponseStatus.ok
    private var parser = EventStreamParser()
    private var reader = StreamReader()
    private var isDone = false
    /// An answer that is no stream, as far as it is worth showing.
    private var refusal: [UInt8] = []
    private static let refusalLimit = 4096

    /// Prepares an exchange that starts now.
    ///
    /// - Parameters:
    ///   - start: when the run started.
    ///   - onEnd: called once, with what became of the request.
    init(
        _ request: EncodedRequest, to target: Target, start: NIODeadline, timeout: TimeAmount,
        onEnd: @escaping (RequestRecord) -> Void
    ) {
        self.request = request
        self.target = target
        self.timeout = timeout
        self.onEnd = onEnd
        epoch = start
        record = RequestRecord(start: Double((NIODeadline.now() - start).nanoseconds) / 1e9)
    }

    private var now: Double { Double((NIODeadline.now() - epoch).nanoseconds) / 1e9 }

    func channelActive(context: ChannelHandlerContext) {
        var headers: HTTPHeaders = [
            "Host": "\(target.host):\(target.port)", "Content-Type": "application/json",
            "Content-Length": "\(request.body.count)", "Connection": "close",
        ]
        if let key = target.apiKey { headers.add(name: "Authorization", value: "Bearer \(key)") }
        let head = HTTPRequestHead(
            version: .http1_1, method: .POST, uri: target.basePath + request.path, headers: headers)
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        context.write(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(bytes: request.body)))), promise: nil)
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
        deadline = context.eventLoop.assumeIsolated().scheduleTask(in: timeout) {
            self.end("no end after \(self.timeout.nanoseconds / 1_000_000_000) s")
            context.close(promise: nil)
        }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head): status = head.status
        case .body(let bytes):
            if status == .ok {
                if request.isStream { take(bytes) }
            } else {
                refusal += bytes.readableBytesView.prefix(Self.refusalLimit - refusal.count)
            }
        case .end:
            end(status == .ok ? ending() : refusalText)
            context.close(promise: nil)
        }
    }

    func channelInactive(context: ChannelHandlerContext) { end("the connection ended before the answer") }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        end("\(error)")
        context.close(promise: nil)
    }

    private func take(_ bytes: ByteBuffer) {
        let time = now
        bytes.withUnsafeReadableBytes { piece in
            parser.append(piece) { event in
                switch reader.take(event) {
                case .tokens(let total): record.tokens(total, at: time)
                case .failed(let message): record.failure = message
                case .done: isDone = true
                case .other: break
                }
            }
        }
    }

    /// What is wrong with an answer that came to its end.
    private func ending() -> String? {
        guard request.isStream else { return nil }
        let ending = reader.ending
        record.promptTokens = ending.promptTokens ?? 0
        record.cachedTokens = ending.cachedTokens ?? 0
        return record.failure ?? ending.failure ?? (isDone ? nil : "the stream ended without [DONE]")
    }

    private var refusalText: String {
        let text = StreamReader.message(refusal) ?? String(decoding: refusal.prefix(200), as: UTF8.self)
        return "status \(status.code): \(text)"
    }

    /// Ends the exchange, the first time this is called.
    func end(_ failure: String?) {
        guard let onEnd else { return }
        self.onEnd = nil
        deadline?.cancel()
        record.failure = failure
        record.finish(at: now)
        onEnd(record)
    }
}
