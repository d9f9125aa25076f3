internal import Foundation
internal import NIOCore
internal import NIOPosix
internal import NIOSSL

/// A wire with TLS, for clients that trust one authority.
package final class SecureWire: Wire {
    private struct State: Sendable {
        var unread: [UInt8] = []
        var isClosed = false
        var certificate: [UInt8]?
    }

    private let channel: any Channel
    private let board: EventBoard<State>

    /// Connects to a port of this machine.
    ///
    /// - Parameter authority: PEM file with the one certificate that is trusted.
    package init(port: Int, trusting authority: String) throws {
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.trustRoots = .file(authority)
        let context = try NIOSSLContext(configuration: configuration)
        let board = EventBoard(State())
        self.board = board
        do {
            channel = try ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                .channelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        let tls = try NIOSSLClientHandler(context: context, serverHostname: "localhost")
                        try channel.pipeline.syncOperations.addHandlers([tls, Inbox(board)])
                    }
                }
                .connect(host: "127.0.0.1", port: port).wait()
        } catch is NIOConnectionError { throw ConnectionError.refused }
    }

    deinit { channel.close(promise: nil) }

    package func write(_ bytes: [UInt8]) throws {
        do { try channel.writeAndFlush(ByteBuffer(bytes: bytes)).wait() } catch { throw ConnectionError.lost }
    }

    package func read() throws -> [UInt8] {
        guard board.wait(for: { $0.unread.isEmpty && !$0.isClosed ? nil : () }) != nil else {
            throw ConnectionError.silent
        }
        let bytes = board.update { state in
            defer { state.unread = [] }
            return state.unread
        }
        guard !bytes.isEmpty else { throw ConnectionError.lost }
        return bytes
    }

    /// The server's certificate, in DER, once something was read.
    package var certificate: [UInt8]? { board.now.certificate }

    /// The only certificate of a PEM file, in DER.
    package static func certificate(in file: String) throws -> [UInt8] {
        try NIOSSLCertificate.fromPEMFile(file)[0].toDERBytes()
    }

    /// Keeps what comes.
    private final class Inbox: ChannelInboundHandler, Sendable {
        typealias InboundIn = ByteBuffer
        private let board: EventBoard<State>

        init(_ board: EventBoard<State>) { self.board = board }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            let bytes = Array(unwrapInboundIn(data).readableBytesView)
            let certificate = try? context.pipeline.syncOperations.handler(type: NIOSSLClientHandler.self)
                .peerCertificate?.toDERBytes()
            board.update { state in
                state.unread += bytes
                state.certificate = certificate ?? state.certificate
            }
        }

        func channelInactive(context: ChannelHandlerContext) { board.update { $0.isClosed = true } }

        func errorCaught(context: ChannelHandlerContext, error: any Error) {
            board.update { $0.isClosed = true }
            context.close(promise: nil)
        }
    }
}
