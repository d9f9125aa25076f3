import HTTPFront
import Messages
import PipeStages
import ServerSettings
import TestSupport
import Testing

/// The front's core over real TCP and ZeroMQ sockets.
@Suite(.serialized, .blocking, .timeLimit(.minutes(2))) struct LoopbackTests {
    @Test func answersOneRequest() async throws {
        let server = try await RunningFront()
        let client = server.client()
        client.send("POST", "/generate", #"{"text":"hello","sampling_params":{"max_new_tokens":3,"temperature":0}}"#)
        let response = client.response()
        #expect(response.status == 200)
        #expect(response.body.hasPrefix(#"{"text":"hel","output_ids":[104,101,108],"meta_info":{"id":""#))
        #expect(server.pipe.log.livingFronts == [[1]])
        server.stop()
    }

    @Test func streamsAFrameForEachToken() async throws {
        let server = try await RunningFront()
        let client = server.client()
        client.send("POST", "/generate", #"{"text":"hello","stream":true}"#)
        let text = client.read(until: "[DONE]")
        #expect(text.contains("text/event-stream"))
        #expect(text.ranges(of: "data: {").count == 5)
        for part in ["h", "he", "hel", "hell", "hello"] { #expect(text.contains("data: {\"text\":\"\(part)\",")) }
        // The connection goes on.
        client.send("GET", "/generate")
        #expect(client.read(until: "Not Allowed").contains("405"))
        server.stop()
    }

    @Test func keysThatRouteRequestsAreCountedAsLongAsTheseAreAnswered() async throws {
        var settings = FrontSettings.served()
        settings.enableMetrics = true
        let server = try await RunningFront(settings)
        let held = server.client()
        for (key, count) in [("a", 1), ("b", 2), ("", 1)] {
            if key == "b" {
                held.send("POST", "/generate", #"{"text":"hold"}"#, headers: ["X-SMG-Routing-Key: a"])
                #expect(server.pipe.waits { $0.generates.count == 1 })
            }
            // The request for the page has a key, too.
            let client = server.client()
            client.send("GET", "/metrics", headers: key.isEmpty ? [] : ["x-smg-routing-key: \(key)"])
            #expect(client.response().body.contains("\nsglang:routing_keys_active \(count).0\n"))
        }
        server.stop()
    }

    @Test(arguments: [true, false]) func hangUpFreesTheRow(stream: Bool) async throws {
        let server = try await RunningFront()
        var client: LoopbackClient? = server.client()
        client?.send("POST", "/generate", "{\"text\":[\"hold a\",\"hold b\"],\"stream\":\(stream)}")
        #expect(server.pipe.waits { $0.generates.count == 2 })
        #expect(server.front.openRequests == 2)
        client = nil
        #expect(server.pipe.waits { $0.aborts.count == 2 })
        #expect(server.pipe.log.aborts.allSatisfy { !$0.wantsAnswer })
        #expect(server.front.openRequests == 0)
        server.stop()
    }

    @Test func twoHundredClientsAtOnce() async throws {
        let server = try await RunningFront()
        let clients = (0..<200).map { _ in server.client() }
        for (number, client) in clients.enumerated() {
            client.send("POST", "/generate", "{\"text\":\"client \(number)\",\"stream\":\(number % 2 == 0)}")
        }
        for (number, client) in clients.enumerated() {
            let text = client.read(until: number % 2 == 0 ? "[DONE]" : "}}")
            #expect(text.contains("\"text\":\"client \(number)\""))
        }
        #expect(server.front.openRequests == 0)
        server.stop()
    }

    @Test func largePromptsGoThrough() async throws {
        let server = try await RunningFront()
        let client = server.client()
        let prompt = String(repeating: "x", count: 2_000_000)
        client.send("POST", "/generate", "{\"text\":\"\(prompt)\",\"sampling_params\":{\"max_new_tokens\":2}}")
        #expect(client.response().body.hasPrefix(#"{"text":"xx","#))
        #expect(server.pipe.log.generates.last?.text.utf8.count == 2_000_000)
        server.stop()
    }

    @Test func clientsThatLeaveInTheMiddleLeaveNothing() async throws {
        let server = try await RunningFront()
        for stage in 0..<30 {
            let client = server.client()
            switch stage % 3 {
            case 0: client.send(raw: "POST /generate HTTP/1.1\r\nHost: x\r\nContent-Le")
            case 1: client.send(raw: "POST /generate HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{\"text\":")
            default: client.send("POST", "/generate", #"{"text":"hold","stream":true}"#)
            }
        }
        #expect(server.pipe.waits { $0.aborts.count == $0.generates.count && $0.generates.count == 10 })
        #expect(server.front.openRequests == 0)
        let client = server.client()
        client.send("GET", "/v1/models")
        #expect(client.response().status == 200)
        server.stop()
    }

    @Test func requestsWaitForThePipe() async throws {
        let server = try await RunningFront(ready: false)
        let client = server.client()
        client.send("POST", "/generate", #"{"text":"hi"}"#)
        while server.front.openRequests == 0 { await Task.yield() }
        #expect(server.pipe.log.generates.isEmpty)
        server.front.handle(.ready())
        #expect(client.response().status == 200)
        server.stop()
    }

    @Test func bodiesAndHeadsAreLimited() async throws {
        var settings = FrontSettings.served()
        settings.maxBodySize = 1024
        let server = try await RunningFront(settings)
        let large = server.client()
        large.send("POST", "/generate", "{\"text\":\"" + String(repeating: "x", count: 2000) + "\"}")
        #expect(large.response().status == 413)
        let heady = server.client()
        heady.send("GET", "/generate", headers: ["X-Long: " + String(repeating: "y", count: 100_000)])
        #expect(heady.response().status == 400)
        server.stop()
    }

    @Test func fullServerRefusesAtOnce() async throws {
        var settings = FrontSettings.served()
        settings.maxQueuedRequests = 0
        let server = try await RunningFront(settings)
        let holders = (0..<16).map { _ in server.client() }
        for holder in holders { holder.send("POST", "/generate", #"{"text":"hold"}"#) }
        #expect(server.pipe.waits { $0.generates.count == 16 })
        let late = server.client()
        late.send("POST", "/generate", #"{"text":"late"}"#)
        let response = late.response()
        #expect(response.status == 503)
        #expect(
            response.body
                == #"{"object":"error","message":"The request queue is full.","type":"503","param":null,"code":503}"#)
        withExtendedLifetime(holders) {}
        server.stop()
    }
}
