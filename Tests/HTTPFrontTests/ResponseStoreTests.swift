import CDispatch
import Glibc
import HTTPFront
import JSON
import Messages
import PipeStages
import ServerSettings
import Testing

/// Responses that are kept, by fronts that share memory.
@Suite(.timeLimit(.minutes(1))) struct ResponseStoreTests {
    /// Calls with a descriptor of fresh memory.
    private func withMemory(_ body: (Int32) async throws -> Void) async throws {
        var template = Array("/tmp/srtresponses.XXXXXX".utf8CString)
        let descriptor = mkstemp(&template)
        unlink(template)
        defer { close(descriptor) }
        try await body(descriptor)
    }

    private func settings(_ change: (inout FrontSettings) -> Void = { _ in }) -> FrontSettings {
        var settings = FrontSettings.served()
        settings.enableResponseStore = true
        change(&settings)
        return settings
    }

    private func respond(_ fields: JSONObject, on front: LocalFront) async throws -> JSONValue {
        var body: JSONObject = ["model": "m", "input": "abc"]
        for (name, value) in fields { body[name] = value }
        let answer = try await front.post("/v1/responses", JSON.encodeToString(.object(body)))
        #expect(answer.status == 200, "\(answer.body)")
        return try JSON.parse(answer.body)
    }

    private func get(_ id: String, on front: LocalFront) async throws -> (status: Int, body: JSONValue) {
        let answer = try await front.get("/v1/responses/\(id)")
        return (answer.status, try JSON.parse(answer.body))
    }

    /// The response once nobody works on it any more.
    private func settled(_ id: String, on front: LocalFront) async throws -> JSONValue {
        while true {
            let found = try await get(id, on: front).body
            if found["status"] != "in_progress" { return found }
            await Task.yield()
        }
    }

    private func id(_ response: JSONValue) throws -> String { try #require(response["id"]?.stringValue) }

    private func text(_ response: JSONValue) -> String {
        (response["output"]?.arrayValue ?? []).compactMap { item in
            item["content"]?.arrayValue?.first?["text"]?.stringValue
        }.joined()
    }

    @Test func aResponseCanBeAskedForAgain() async throws {
        let front = LocalFront(settings())
        for isStreamed in [false, true] {
            let name: String
            if isStreamed {
                let answer = try await front.post("/v1/responses", #"{"model":"m","input":"abc","stream":true}"#)
                name = try #require(answer.body.split(separator: "\"").first { $0.hasPrefix("resp_") }).description
            } else {
                name = try id(try await respond([:], on: front))
            }
            let again = try await get(name, on: front)
            #expect(again.status == 200 && again.body["status"] == "incomplete" && text(again.body) == "abc")
            #expect(again.body["id"] == .string(name))
        }
    }

    @Test func aResponseSurvivesItsFront() async throws {
        try await withMemory { memory async throws in
            let first = LocalFront(settings(), sessions: memory)
            let response = try await respond([:], on: first)
            let second = LocalFront(settings(), generation: 2, sessions: memory)
            #expect(try await get(try id(response), on: second).body == response)
        }
    }

    @Test func aResponseGoesOnFromAnEarlierOne() async throws {
        let front = LocalFront(settings())
        let first = try await respond(["instructions": "xyz"], on: front)
        let second = try await respond(
            ["input": "def", "previous_response_id": .string(try id(first))], on: front)
        // The pipe says what all messages say: instructions are of one response alone.
        #expect(text(first) == "xyzabc" && text(second) == "abcxyzabcdef")
        #expect(second["previous_response_id"] == first["id"])
        let third = try await respond(["input": "g", "previous_response_id": .string(try id(second))], on: front)
        #expect(text(third) == "abcxyzabcdefabcxyzabcdefg")
    }

    @Test func whatIsNotKeptIsNotFound() async throws {
        let front = LocalFront(settings())
        let response = try await respond(["store": false], on: front)
        for name in [try id(response), "resp_other"] {
            let answer = try await get(name, on: front)
            #expect(answer.status == 404)
            #expect(answer.body["error"]?["message"] == .string("Response with id '\(name)' not found."))
        }
        let wrong = try await get("other", on: front)
        #expect(wrong.status == 400)
        let earlier = try await front.post(
            "/v1/responses", #"{"model":"m","input":"a","previous_response_id":"resp_other"}"#)
        #expect(earlier.status == 404)
    }

    @Test func theOldestGoWhereThereAreTooMany() async throws {
        let front = LocalFront(settings { $0.responseStoreCount = 2 })
        var names: [String] = []
        for _ in 0..<4 { names.append(try id(try await respond([:], on: front))) }
        var found: [Int] = []
        for name in names { found.append(try await get(name, on: front).status) }
        #expect(found == [404, 404, 200, 200])
    }

    @Test func theOldestGoWhereTheyAreTooLarge() async throws {
        let front = LocalFront(settings { $0.responseStoreBytes = 6000 })
        let small = try id(try await respond([:], on: front))
        let large = try id(try await respond(["input": .string(String(repeating: "x", count: 1500))], on: front))
        #expect(try await get(large, on: front).status == 200)
        #expect(try await get(small, on: front).status == 404)
        let giant = try id(try await respond(["input": .string(String(repeating: "x", count: 9000))], on: front))
        #expect(try await get(giant, on: front).status == 404)
    }

    @Test func whatIsTooOldGoes() async throws {
        let front = LocalFront(settings { $0.responseStoreAge = -1 })
        #expect(try await get(try id(try await respond([:], on: front)), on: front).status == 404)
    }

    @Test func aResponseCanBeForgotten() async throws {
        let front = LocalFront(settings())
        let name = try id(try await respond([:], on: front))
        let answer = try await front.front.answer("DELETE", "/v1/responses/\(name)")
        #expect(answer.status == 200 && answer.body.contains(#""deleted":true"#))
        #expect(try await get(name, on: front).status == 404)
        #expect(try await front.front.answer("DELETE", "/v1/responses/\(name)").status == 404)
    }

    // MARK: In the background

    @Test func aResponseInTheBackgroundComesByItself() async throws {
        let front = LocalFront(settings())
        let begun = try await respond(["background": true, "metadata": ["k": "v"]], on: front)
        #expect(begun["status"] == "queued" && begun["output"] == [])
        let over = try await settled(try id(begun), on: front)
        #expect(over["status"] == "incomplete" && text(over) == "abc")
        #expect(over["metadata"]?["k"] == "v" && over["id"] == begun["id"])
        let cancelled = try await front.post("/v1/responses/\(try id(begun))/cancel", "")
        #expect(cancelled.status == 400 && cancelled.body.contains("Cannot cancel a synchronous response."))
    }

    @Test func noMoreAreMadeAtATimeThanMayBeKept() async throws {
        let front = LocalFront(settings { $0.responseStoreCount = 2 }) { command in
            if case .generate? = command.command { [] } else { EchoStages.answer(command) }
        }
        let first = try await respond(["background": true], on: front)
        _ = try await respond(["background": true], on: front)
        let refused = try await front.post("/v1/responses", #"{"model":"m","input":"abc","background":true}"#)
        #expect(refused.status == 503 && refused.body.contains("queue is full"))
        _ = try await front.post("/v1/responses/\(try id(first))/cancel", "")
        _ = try await respond(["background": true], on: front)
    }

    @Test func whatADeadFrontWasMakingTheNextOneMakesAlike() async throws {
        try await withMemory { memory async throws in
            let dead = LocalFront(settings(), sessions: memory) { _ in [] }
            let begun = try await respond(["background": true], on: dead)
            let sent = { (front: LocalFront) in
                front.commands.compactMap { command -> UInt64? in
                    if case .generate(let generate)? = command.command { generate.sampling.seed } else { nil }
                }
            }
            // It is told of the response before it has asked for it.
            while sent(dead).isEmpty { await Task.yield() }
            let next = LocalFront(settings(), generation: 2, sessions: memory)
            let over = try await settled(try id(begun), on: next)
            #expect(text(over) == "abc" && over["id"] == begun["id"] && over["created_at"] != nil)
            #expect(sent(next).count == 1 && sent(next) == sent(dead))
        }
    }

    @Test func whatALivingFrontMakesIsNotMadeTwice() async throws {
        try await withMemory { memory async throws in
            let leaving = LocalFront(settings(), sessions: memory) { _ in [] }
            let begun = try await respond(["background": true], on: leaving)
            let next = LocalFront(settings(), generation: 2, ready: false, sessions: memory)
            var topology = Topology.ready()
            topology.leaving = [.make { ($0.role, $0.generation) = (.http, 1) }]
            next.front.handle(topology)
            #expect(try await get(try id(begun), on: next).body["status"] == "in_progress")
            #expect(next.commands.allSatisfy { if case .generate? = $0.command { false } else { true } })
            next.front.handle(Topology.ready())
            #expect(text(try await settled(try id(begun), on: next)) == "abc")
        }
    }

    @Test func aCancelledResponseStaysCancelled() async throws {
        let front = LocalFront(settings()) { command in
            // Only an abort ends what the pipe was told.
            if case .generate? = command.command { [] } else { EchoStages.answer(command) }
        }
        let begun = try await respond(["background": true], on: front)
        let name = try id(begun)
        let answer = try await front.post("/v1/responses/\(name)/cancel", "")
        #expect(answer.status == 200 && answer.body.contains(#""status":"cancelled""#))
        while front.front.openRequests > 0 { await Task.yield() }
        #expect(try await get(name, on: front).body["status"] == "cancelled")
        #expect(try await front.post("/v1/responses/resp_other/cancel", "").status == 404)
    }

    @Test func whatNobodyCouldFetchIsRefused() async throws {
        let body = #"{"model":"m","input":"a","background":true,"store":false}"#
        let answer = try await LocalFront(settings()).post("/v1/responses", body)
        #expect(answer.status == 400 && answer.body.contains("requires store"))
    }

    @Test func aStreamInTheBackgroundBelongsToItsConnectionAndIsKept() async throws {
        let front = LocalFront(settings())
        let answer = try await front.post(
            "/v1/responses", #"{"model":"m","input":"abc","background":true,"stream":true}"#)
        #expect(answer.body.contains("event: response.incomplete") && answer.body.contains(#""background":true"#))
        let name = try #require(answer.body.split(separator: "\"").first { $0.hasPrefix("resp_") }).description
        let kept = try await get(name, on: front).body
        #expect(text(kept) == "abc" && kept["background"] == true)
    }

    @Test(arguments: ["/v1/responses/resp_x", "/v1/responses/resp_x/cancel"])
    func withoutAStoreEverythingOfItIsRefused(_ path: String) async throws {
        let front = LocalFront()
        let answer = path.hasSuffix("cancel") ? try await front.post(path, "") : try await front.get(path)
        #expect(answer.status == 400 && answer.body.contains("--enable-response-store"))
    }
}
