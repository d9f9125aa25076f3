import HTTPFront
import Messages
import ServerSettings
import Testing

/// What a request says about its place among others reaches the tokenizer manager.
@Suite struct PriorityFieldTests {
    /// The request as it went down the pipe.
    private func generate(_ fields: String, headers: [(String, String)] = []) async throws -> Generate {
        let server = LocalFront()
        let answer = try await server.post(
            "/generate", "{\"text\":\"hello\",\"sampling_params\":{\"max_new_tokens\":1}\(fields)}",
            headers: [("Content-Type", "application/json")] + headers)
        #expect(answer.status == 200)
        let sent = server.commands.compactMap { command -> Generate? in
            if case .generate(let generate)? = command.command { generate } else { nil }
        }
        return try #require(sent.first)
    }

    @Test func aPriorityIsAPriorityAndNoneIsNone() async throws {
        #expect(try await generate(#","priority":-7"#).options.priority == -7)
        #expect(try await generate(#","priority":0"#).options.hasPriority)
        #expect(try await !generate("").options.hasPriority)
    }

    @Test func theBodysRoutingKeyGoesBeforeTheHeaders() async throws {
        let header = [("X-SMG-Routing-Key", "header")]
        #expect(try await generate("", headers: header).options.routingKey == "header")
        #expect(try await generate(#","routing_key":"body""#, headers: header).options.routingKey == "body")
        #expect(try await generate("").options.routingKey.isEmpty)
    }

    @Test(arguments: [false, true]) func withPrioritiesTheWorkerSaysWhoMayWait(_ hasPriorities: Bool) async throws {
        var settings = FrontSettings.served()
        (settings.maxRunningRequests, settings.maxQueuedRequests) = (16, 0)
        settings.enablePriorityScheduling = hasPriorities
        let server = LocalFront(settings)
        let prompts = Array(repeating: #""ab""#, count: 40).joined(separator: ",")
        let answer = try await server.post("/generate", "{\"text\":[\(prompts)]}")
        #expect(answer.status == (hasPriorities ? 200 : 400))
    }

    @Test func anythingButAnIntegerIsRefusedByName() async throws {
        let answer = try await LocalFront().post("/generate", #"{"text":"a","priority":"high"}"#)
        #expect(answer.status == 400 && answer.body.contains("priority"))
    }
}
