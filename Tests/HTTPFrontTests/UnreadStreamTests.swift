import HTTPFront
import Ledger
import Messages
import PipeStages
import ServerSettings
import Synchronization
import TestSupport
import Testing

/// Streams whose clients do not read them, over real sockets.
@Suite(.serialized, .blocking, .timeLimit(.minutes(2))) struct UnreadStreamTests {
    private static let piece = [UInt8](repeating: UInt8(ascii: "x"), count: 400)

    /// A front at which one request is a crowd, with a stream that holds after its first token.
    private func crowded(_ time: Time) async throws -> (RunningFront, LoopbackClient, RequestKey) {
        var settings = FrontSettings.served()
        settings.incrementalStreamingOutput = true
        var patience = RequestLedger.Patience()
        patience.crowd = 0
        let server = try await RunningFront(settings, patience: patience, clock: time.now)
        let client = server.client()
        client.send("POST", "/generate", #"{"text":"hold","stream":true}"#)
        try #require(server.pipe.waits { $0.generates.count == 1 })
        // What follows continues the first token.
        _ = client.read(until: "data: ")
        return (server, client, server.pipe.log.generates[0].key)
    }

    /// Gives the stream one more piece of text and waits until it is with the client's kernel, or the stream was set aside.
    private func send(
        _ number: Int, _ key: RequestKey, to client: LoopbackClient, of server: RunningFront, reads: Bool = false
    ) async {
        let before = client.unreadBytes
        server.front.handle(EchoStages.frame(key, offset: 1 + number * Self.piece.count, Self.piece))
        while client.unreadBytes < before + Self.piece.count, server.pipe.log.aborts.isEmpty, !Task.isCancelled {
            await Task.yield()
        }
        if reads { _ = client.read(until: "data:") }
    }

    @Test func aStreamThatIsNotReadGivesWayAndGoesOnWhenItIsRead() async throws {
        let time = Time()
        let (server, client, key) = try await crowded(time)
        var count = 0
        while server.pipe.log.aborts.isEmpty, count < 60 {
            await send(count, key, to: client, of: server)
            count += 1
            time.advance(0.3)
        }
        #expect(server.pipe.waits { $0.aborts.map(\.key) == [key] })
        #expect(count > 6, "two seconds have to pass")
        #expect(server.front.openRequests == 1)
        // Reading so little moves no window by itself: the server has to ask.
        #expect(client.read(until: "data: ").contains("data: "))
        #expect(server.pipe.waits { $0.generates.count == 2 })
        let again = server.pipe.log.generates[1]
        #expect(again.key.attempt == 1 && again.resumedIds.count > Self.piece.count)
        server.front.handle(
            EchoStages.frame(again.key, offset: again.resumedIds.count, [97], finish: .make { $0.length = 9 }))
        #expect(client.read(until: "[DONE]").contains("\"finish_reason\":{\"type\":\"length\""))
        server.stop()
    }

    @Test func aStreamThatIsReadSlowlyGoesOn() async throws {
        let time = Time()
        let (server, client, key) = try await crowded(time)
        for count in 0..<40 {
            await send(count, key, to: client, of: server, reads: count % 3 == 0)
            time.advance(0.3)
        }
        #expect(server.pipe.log.aborts.isEmpty)
        server.stop()
    }

    @Test func aStreamThatWasSetAsideEndsWhenItIsAborted() async throws {
        let time = Time()
        let (server, client, key) = try await crowded(time)
        for count in 0..<60 where server.pipe.log.aborts.isEmpty {
            await send(count, key, to: client, of: server)
            time.advance(0.3)
        }
        #expect(server.pipe.waits { $0.aborts.count == 1 })
        let other = server.client()
        other.send("POST", "/abort_request", #"{"abort_all":true}"#)
        #expect(other.response().status == 200)
        #expect(client.read(until: "[DONE]").contains("\"type\":\"abort\""))
        server.stop()
    }

    /// A clock that a test moves.
    final class Time: Sendable {
        private let seconds = Mutex(1000.0)
        var now: @Sendable () -> Double { { [self] in seconds.withLock { $0 } } }
        func advance(_ step: Double) { seconds.withLock { $0 += step } }
    }
}
