import NIOCore
import NIOHTTP1
import NIOPosix

/// A server, and what the requests to it have in common.
package struct Target: Sendable {
    /// Name or address.
    package let host: String
    /// TCP port.
    package let port: Int
    /// What precedes the path of a request.
    package let basePath: String
    /// The bearer token, if it wants one.
    package let apiKey: String?

    /// Reads `http://HOST:PORT/BASE`; nil when it is something else.
    package init?(url: String, apiKey: String?) {
        guard url.hasPrefix("http://") else { return nil }
        let rest = url.dropFirst("http://".count)
        let authority = rest.prefix { $0 != "/" }
        let colon = authority.lastIndex(of: ":").flatMap { authority[$0...].contains("]") ? nil : $0 }
        var host = colon.map { authority[..<$0] } ?? authority
        guard let port = colon.map({ Int(authority[authority.index(after: $0)...]) }) ?? 80, (1...65535).contains(port)
        else { return nil }
        if host.hasPrefix("["), host.hasSuffix("]") { host = host.dropFirst().dropLast() }
        guard !host.isEmpty else { return nil }
        self.host = String(host)
        self.port = port
        let path = rest[authority.endIndex...]
        basePath = String(path.hasSuffix("/") ? path.dropLast() : path)
        self.apiKey = apiKey
    }
}

/// A request that is ready to be sent.
struct EncodedRequest: Sendable {
    let path: String
    let body: [UInt8]
    /// Seconds after the start of the run.
    let arrival: Double
    /// Whether the answer is a stream of tokens; of another one only the status counts.
    var isStream = true
}

/// Sends requests and writes down what came back when, all on one event loop.
final class LoadGenerator {
    private let target: Target
    private let address: SocketAddress
    private let requests: [EncodedRequest]
    private let concurrency: Int
    private let timeout: TimeAmount
    private let loop: any EventLoop
    private let finished: EventLoopPromise<[RequestRecord]>
    private let start = NIODeadline.now()
    private var records: [RequestRecord?]
    private var next = 0
    private var active = 0
    private var isWaiting = false

    /// Runs a load to its end; every request has a record, in their order.
    static func run(
        _ requests: [EncodedRequest], to target: Target, concurrency: Int, timeoutSeconds: Int
    ) throws -> [RequestRecord] {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        defer { try? group.syncShutdownGracefully() }
        let loop = group.next()
        let finished = loop.makePromise(of: [RequestRecord].self)
        do {
            let address = try SocketAddress.makeAddressResolvingHost(target.host, port: target.port)
            loop.execute {
                LoadGenerator(
                    requests, target: target, address: address, concurrency: concurrency,
                    timeout: .seconds(Int64(timeoutSeconds)), loop: loop, finished: finished
                ).admit()
            }
        } catch {
            finished.fail(BenchFailure("\(target.host):\(target.port): \(error)"))
        }
        return try finished.futureResult.wait()
    }

    private init(
        _ requests: [EncodedRequest], target: Target, address: SocketAddress, concurrency: Int, timeout: TimeAmount,
        loop: any EventLoop, finished: EventLoopPromise<[RequestRecord]>
    ) {
        self.requests = requests
        self.target = target
        self.address = address
        self.concurrency = concurrency
        self.timeout = timeout
        self.loop = loop
        self.finished = finished
        records = requests.map { _ in nil }
    }

    private var now: Double { Double((NIODeadline.now() - start).nanoseconds) / 1e9 }

    /// Sends what may be sent now, and comes back when the next one is due.
    private func admit() {
        while next < requests.count, active < concurrency {
            let wait = requests[next].arrival - now
            if wait > 0 {
                guard !isWaiting else { return }
                isWaiting = true
                loop.assumeIsolated().scheduleTask(in: .nanoseconds(Int64(wait * 1e9))) {
                    self.isWaiting = false
                    self.admit()
                }
                return
            }
            send(next)
            next += 1
        }
        if active == 0, next == requests.count { finished.succeed(records.compactMap { $0 }) }
    }

    private func send(_ index: Int) {
        active += 1
        let exchange = HTTPExchange(
            requests[index], to: target, start: start, timeout: timeout,
            onEnd: { record in
                self.records[index] = record
                self.active -= 1
                // Later, since this may be a call from within `admit`.
                self.loop.assumeIsolated().execute { self.admit() }
            })
        let bound = NIOLoopBound(exchange, eventLoop: loop)
        ClientBootstrap(group: loop)
            .channelOption(.socketOption(.tcp_nodelay), value: 1)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHTTPClientHandlers()
                    try channel.pipeline.syncOperations.addHandler(bound.value)
                }
            }
            .connect(to: address)
            .assumeIsolated()
            .whenFailure { error in exchange.end("cannot connect: \(error)") }
    }
}
