internal import APICore
internal import HTTPTypes
internal import Hummingbird
internal import HummingbirdCore
internal import Logging
package import NIOCore
internal import NIOHTTP1
internal import NIOHTTPTypes
internal import NIOHTTPTypesHTTP1
internal import NIOPosix
internal import NIOSSL
internal import OperatorAPI
internal import ServerSettings

/// Accepts clients on a listening socket that the launcher opened, and talks HTTP/1.1 with each.
package final class HTTPServer: Sendable {
    /// Bounds for what a client may send or hold.
    package struct Limits: Sendable {
        package init(connections: Int = 4096, slowClients: SlowClientLimits = .init()) {
            self.connections = connections
            self.slowClients = slowClients
        }

        var connections: Int
        /// Bytes of one header, and of all together.
        var headerBytes = 32 << 10
        var headerCount = 200
        /// What no honest client falls below.
        var slowClients: SlowClientLimits
    }

    private let responder: FrontResponder
    private let limits: Limits
    private let group: MultiThreadedEventLoopGroup
    private let log: Logger
    private let register: ConnectionRegister
    /// What clients' connections are made with where they speak TLS.
    private let encryption: TLSContexts?

    /// - Throws: when TLS is asked for and its files make no sense.
    package init(_ front: Front, limits: Limits, threads: Int) throws {
        encryption = front.settings.tls.areGiven ? try TLSContexts(front.settings.tls, log: front.log) : nil
        responder = FrontResponder(front)
        self.limits = limits
        group = MultiThreadedEventLoopGroup(numberOfThreads: threads)
        log = front.log
        register = ConnectionRegister(limit: limits.connections)
    }

    /// Starts to accept on a socket that is bound and listening; the returned channel owns the descriptor.
    package func serve(listener descriptor: Int32) async throws -> any Channel {
        try await bootstrap(encryption)
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            .withBoundSocket(descriptor)
            .get()
    }

    /// Starts to accept plain HTTP on a socket in the file system, which takes the place of an earlier front's.
    package func servePlain(path: String) async throws -> any Channel {
        try await bootstrap(nil).bind(unixDomainSocketPath: path, cleanupExistingSocketFile: true).get()
    }

    private func bootstrap(_ encryption: TLSContexts?) -> ServerBootstrap {
        ServerBootstrap(group: group)
            // What the kernel holds for a client that does not read; a fast one empties it faster than tokens come.
            .childChannelOption(.socketOption(.so_sndbuf), value: 64 << 10)
            // What this process holds for it besides: writers wait beyond the higher mark.
            .childChannelOption(.writeBufferWaterMark, value: .init(low: 4 << 10, high: 16 << 10))
            .childChannelInitializer { [self] channel in serve(channel, encryption) }
    }

    /// Clients that are connected.
    var connectionCount: Int { register.count }

    private func serve(_ channel: any Channel, _ encryption: TLSContexts?) -> EventLoopFuture<Void> {
        guard let number = register.enter(channel) else {
            return channel.eventLoop.makeCompletedFuture {
                try Self.encrypt(channel, encryption)
                try channel.pipeline.syncOperations.addHandler(RefusalHandler(isSecure: encryption != nil))
            }
        }
        do { try Self.encrypt(channel, encryption) } catch { return channel.eventLoop.makeFailedFuture(error) }
        let connection = ClientConnection(
            peer: channel.remoteAddress.map(Self.name) ?? "unknown", channel: channel,
            isSpare: { [register] in register.note(number, isWaiting: $0) })
        channel.closeFuture.whenComplete { [register] _ in
            register.leave(number)
            connection.close()
        }
        let http = HTTP1Channel(
            responder: { [responder] request, writer, _ in
                try await Self.answer(request, writer, responder, connection)
            },
            configuration: .init(
                additionalChannelHandlers: [
                    SlowClientHandler(self.register, number: number, limits: self.limits.slowClients)
                ],
                httpDecoderConfiguration: .init(
                    maxHeaderFieldSize: limits.headerBytes, maxHeaderListSize: limits.headerBytes,
                    maxHeaderFieldCount: limits.headerCount)))
        // The connection's task runs on its event loop: a token then crosses threads once on its way to the client.
        let executor = EventLoopExecutor(channel.eventLoop)
        return http.setup(channel: channel, logger: log).flatMapThrowing { [self] value in
            try addHandlers(to: channel, of: connection)
            Task(executorPreference: executor) { [log] in await http.handle(value: value, logger: log) }
        }
    }

    /// Puts TLS between the socket and everything else.
    private static func encrypt(_ channel: any Channel, _ encryption: TLSContexts?) throws {
        guard let encryption else { return }
        try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: encryption.current))
    }

    /// Adds what sees bytes and versions, which the handlers of the library turn into requests without either.
    private func addHandlers(to channel: any Channel, of connection: ClientConnection) throws {
        let pipeline = channel.pipeline.syncOperations
        let slow = try pipeline.context(handlerType: SlowClientHandler.self)
        let arrivals = SlowClientHandler.Arrivals(try pipeline.handler(type: SlowClientHandler.self), slow)
        try pipeline.addHandler(arrivals, position: .first)
        let terms = ConnectionTerms(keepAliveSeconds: Int(limits.slowClients.keepAlive.components.seconds))
        let log = responder.front.accessLog
        let silent = responder.front.settings.accessLogExcludePrefixes
        let handler = ConnectionTermsHandler(terms) { asked, status in
            if silent.contains(where: asked.uri.hasPrefix) { return }
            let line = "\(asked.method) \(asked.uri) HTTP/\(asked.version.major).\(asked.version.minor)"
            log.info("\(connection.peer) - \"\(line)\" \(status.code)")
        }
        let codec = try pipeline.context(handlerType: HTTP1ToHTTPServerCodec.self)
        try pipeline.addHandler(handler, position: .before(codec.handler))
    }

    private static func answer(
        _ request: Request, _ writer: consuming ResponseWriter, _ responder: FrontResponder,
        _ connection: ClientConnection
    ) async throws {
        let front = responder.front
        let share = BodyShare(of: front.bodies, limit: front.settings.maxBodySize)
        let routingKey = request.headers[.routingKey] ?? ""
        let endpoint = front.http.begin(
            path: request.uri.path, method: request.method.rawValue, routingKey: routingKey)
        front.requestBegins()
        defer {
            front.requestEnds()
            front.http.end(endpoint, routingKey: routingKey)
            share.giveBack()
        }
        do {
            if request.headers[.expect]?.lowercased() == "100-continue" {
                try await writer.writeInformationalHead(.init(status: .continue))
            }
            var response = try await responder.respond(to: request, for: connection, share)
            if front.isHandingOver { response.headers[.connection] = "close" }
            front.http.respond(endpoint, status: response.status.code)
            if request.method == .head {
                try await writer.writeResponse(response.head)
            } else {
                try await writer.write(response: response.head, body: response.body)
            }
            connection.settle()
        } catch {
            // An answer that cannot be written has nobody who waits for it.
            connection.close()
            throw error
        }
    }

    private static func name(_ address: SocketAddress) -> String {
        guard let host = address.ipAddress, let port = address.port else { return "local" }
        return host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
    }
}

/// Runs tasks on an event loop's thread.
private final class EventLoopExecutor: TaskExecutor {
    private let loop: any EventLoop

    init(_ loop: any EventLoop) { self.loop = loop }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        loop.execute { job.runSynchronously(on: self.asUnownedTaskExecutor()) }
    }
}

extension HTTPServer {
    /// One thread on small machines, where every core computes tokens; two on larger ones.
    static var sensibleThreadCount: Int { System.coreCount > 8 ? 2 : 1 }
}
