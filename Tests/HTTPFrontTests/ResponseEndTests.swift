import ChatAPI
import HTTPFront
import JSON
import Messages
import PipeStages
import ServerSettings
import Testing

/// How responses say that they ended.
@Suite struct ResponseEndTests {
    /// A front whose pipe says this to everything that is asked.
    private func front(saying text: String, _ finish: FinishReason) -> LocalFront {
        var model = ServedModel()
        model.parsers.tools = "qwen"
        var settings = FrontSettings.served()
        settings.grammarBackend = .xgrammar
        return LocalFront(settings, model: model) { command in
            guard case .generate(let generate)? = command.command else { return [] }
            return [EchoStages.frame(generate.key, offset: 0, Array(text.utf8), finish: finish)]
        }
    }

    private func respond(_ front: LocalFront, _ fields: String = "") async throws -> JSONValue {
        let answer = try await front.post("/v1/responses", "{\"model\":\"m\",\"input\":\"a\"\(fields)}")
        #expect(answer.status == 200)
        return try JSON.parse(answer.body)
    }

    /// The events of a stream, each as its type and its members.
    private func events(_ front: LocalFront, _ fields: String = "") async throws -> [JSONValue] {
        let body = "{\"model\":\"m\",\"input\":\"a\",\"stream\":true\(fields)}"
        let answer = try await front.post("/v1/responses", body)
        return try answer.body.split(separator: "\n").filter { $0.hasPrefix("data: ") }.map {
            try JSON.parse(String($0.dropFirst(6)))
        }
    }

    @Test func aResponseThatWasAbortedHasFailed() async throws {
        let front = front(saying: "half", .make { $0.aborted = .make { $0.message = "Aborted by AbortReq." } })
        let whole = try await respond(front)
        let error: JSONValue = ["code": "server_error", "message": "Aborted by AbortReq."]
        #expect(whole["status"] == "failed" && whole["error"] == error && whole["incomplete_details"] == .null)
        let last = try #require(try await events(front).last)
        #expect(last["type"] == "response.failed")
        #expect(last["response"]?["status"] == "failed" && last["response"]?["error"] == error)
        #expect(last["response"]?["output"]?[0]?["content"]?[0]?["text"] == "half")
    }

    private static let tools =
        #","tools":[{"type":"function","name":"add","parameters":{"type":"object"}}]"#

    @Test func aCallThatWasCutOffIsIncompleteAndThoseBeforeItAreNot() async throws {
        let call = "<tool_call>\n{\"name\": \"add\", \"arguments\": {\"a\": 1}}\n</tool_call>\n"
        let front = front(saying: call + call.prefix(46), .make { $0.length = 30 })
        let done = try await events(front, Self.tools).filter { $0["type"] == "response.output_item.done" }
        #expect(done.map { $0["item"]?["status"] } == ["completed", "incomplete"])
        #expect(done.map { $0["item"]?["name"] } == ["add", "add"])
    }

    @Test func aResponseRepeatsTheFormThatWasAskedFor() async throws {
        let front = front(saying: "{}", .make { $0.stopToken = 1 })
        #expect(try await respond(front)["text"] == ["format": ["type": "text"]])
        let form: JSONValue = [
            "format": ["type": "json_schema", "name": "n", "schema": ["type": "object"]], "verbosity": "low",
        ]
        let whole = try await respond(front, ",\"text\":\(JSON.encodeToString(form))")
        #expect(whole["text"] == form && whole["status"] == "completed")
        let begun = try await events(front, ",\"text\":\(JSON.encodeToString(form))").first
        #expect(begun?["response"]?["text"] == form)
    }
}
