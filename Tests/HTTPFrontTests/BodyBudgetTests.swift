import HTTPFront
import ServerSettings
import Testing

/// Request bodies may fill only so much of the front's memory.
@Suite struct BodyBudgetTests {
    @Test func bodiesTogetherAreBoundedAndGivenBack() async throws {
        var settings = FrontSettings.served()
        settings.maxBodyMemory = 200
        let server = LocalFront(settings)
        let held = Task {
            try await server.post(
                "/generate", #"{"text":"hold ----------------------------------------------------------------"}"#)
        }
        while server.commands.count < 2 { await Task.yield() }
        let large = "{\"text\":\"\(String(repeating: "a", count: 150))\"}"
        let refused = try await server.post("/generate", large)
        #expect(refused.status == 503 && refused.body.contains("--max-body-memory"))
        #expect(refused.headers["retry-after"] == "1")
        #expect(try await server.post("/generate", #"{"text":"small"}"#).status == 200)
        #expect(try await server.post("/abort_request", #"{"abort_all":true}"#).status == 200)
        _ = try await held.value
        #expect(try await server.post("/generate", large).status == 200)
    }

    @Test func aBodyThatIsAloneFitsUpToItsOwnLimit() async throws {
        var settings = FrontSettings.served()
        settings.maxBodyMemory = 10
        #expect(try await LocalFront(settings).post("/generate", #"{"text":"longer than ten"}"#).status == 200)
    }
}
