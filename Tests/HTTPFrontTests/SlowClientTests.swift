import Glibc
import HTTPFront
import Messages
import TestSupport
import Testing

/// Clients that take a connection's room and give nothing back, over real sockets.
@Suite(.serialized, .blocking, .timeLimit(.minutes(2))) struct SlowClientTests {
    private static let question = #"{"text":"hello","sampling_params":{"max_new_tokens":3,"temperature":0}}"#

    /// Limits that are over in a moment for one fault, and never for the others.
    private func limits(
        connections: Int = 512, _ change: (inout SlowClientLimits) -> Void = { _ in }
    ) -> HTTPServer.Limits {
        var slow = SlowClientLimits()
        (slow.head, slow.look, slow.stall) = (.seconds(3600), .seconds(3600), .seconds(3600))
        change(&slow)
        return HTTPServer.Limits(connections: connections, slowClients: slow)
    }

    @Test func aHeadThatDoesNotComeToItsEndIsCutOff() async throws {
        let server = try await RunningFront(limits: limits { $0.head = .milliseconds(50) })
        let client = server.client()
        client.send(raw: "POST /generate HTTP/1.1\r\nHost: x\r\n")
        #expect(client.read(until: "never").isEmpty)
        server.stop()
    }

    @Test func aBodyThatTricklesIsCutOff() async throws {
        let server = try await RunningFront(limits: limits { $0.look = .milliseconds(50) })
        let client = server.client()
        client.send(raw: "POST /generate HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n{\"text\":")
        #expect(client.read(until: "never").isEmpty)
        #expect(server.front.openRequests == 0)
        server.stop()
    }

    @Test func aLargeBodyThatKeepsComingIsRead() async throws {
        let server = try await RunningFront(
            limits: limits {
                $0.look = .milliseconds(20)
                $0.bytesPerLook = 1
            })
        let client = server.client()
        let text = String(repeating: "hello ", count: 400_000)
        client.send(
            "POST", "/generate", "{\"text\":\"\(text)\",\"sampling_params\":{\"max_new_tokens\":1,\"temperature\":0}}")
        #expect(client.response().status == 200)
        server.stop()
    }

    @Test func aRequestThatWaitsForItsAnswerIsNoSlowClient() async throws {
        let server = try await RunningFront(limits: limits { $0.head = .milliseconds(50) })
        let first = server.client()
        // The second request is there before the first one's answer, which begins no wait for a head.
        let both = [Self.question, #"{"text":"hold"}"#].map { body in
            "POST /generate HTTP/1.1\r\nHost: x\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)"
        }
        first.send(raw: both.joined())
        #expect(first.response().status == 200)
        #expect(server.pipe.waits { $0.generates.count == 2 })
        // A slow head of another client is cut off meanwhile: the time is over for anyone who has one.
        let other = server.client()
        other.send(raw: "GET /hea")
        #expect(other.read(until: "never").isEmpty)
        #expect(server.front.openRequests == 1)
        server.stop()
    }

    /// Of an answer that is more than all buffers hold.
    private static let largeQuestion =
        "{\"text\":\"" + String(repeating: "x", count: 2_000_000)
        + "\",\"sampling_params\":{\"max_new_tokens\":2000000}}"

    @Test func aClientThatTakesNothingOfItsAnswerIsCutOff() async throws {
        let server = try await RunningFront(limits: limits { $0.stall = .milliseconds(50) })
        let client = server.client(receiveBuffer: 4096)
        client.send("POST", "/generate", Self.largeQuestion)
        // Its connection ends without it: nobody reads from it until then.
        var state = pollfd(fd: client.descriptor, events: Int16(0x2000), revents: 0)
        #expect(poll(&state, 1, 20_000) == 1)
        server.stop()
    }

    @Test func aClientThatTakesItsAnswerInSmallPiecesGetsAllOfIt() async throws {
        let server = try await RunningFront(limits: limits { $0.stall = .milliseconds(50) })
        let client = server.client(receiveBuffer: 4096)
        client.send("POST", "/generate", Self.largeQuestion)
        let answer = client.response()
        #expect(answer.status == 200 && answer.body.utf8.count > 10_000_000 && answer.body.hasSuffix("}"))
        server.stop()
    }

    @Test func aNewClientTakesThePlaceOfOneThatSaysNothing() async throws {
        let server = try await RunningFront(limits: limits(connections: 2))
        let oldest = server.client()
        oldest.send(raw: "GET /h")
        let busy = server.client()
        busy.send("POST", "/generate", #"{"text":"hold"}"#)
        #expect(server.pipe.waits { $0.generates.count == 1 })
        let next = server.client()
        next.send("POST", "/generate", Self.question)
        #expect(next.response().status == 200)
        #expect(oldest.read(until: "never").isEmpty)
        #expect(server.front.openRequests == 1, "the one that is being served stays")
        server.stop()
    }

    @Test func whenAllAreServedANewClientIsToldSo() async throws {
        let server = try await RunningFront(limits: limits(connections: 1))
        let busy = server.client()
        busy.send("POST", "/generate", #"{"text":"hold"}"#)
        #expect(server.pipe.waits { $0.generates.count == 1 })
        let next = server.client()
        let answer = next.response()
        #expect(answer.status == 503 && answer.head.contains("Retry-After: 1"))
        #expect(answer.body.contains("too many connections"))
        #expect(server.front.openRequests == 1)
        server.stop()
    }
}
