import HTTPFront
import JSON
import Messages
import Testing

/// Types in the schemas of tools.
@Suite struct ToolSchemaTests {
    private func body(_ schema: String) -> String {
        #"{"messages":[{"role":"user","content":"a"}],"max_tokens":1,"tools":[{"type":"function","function":{"name":"f","#
            + "\"parameters\":\(schema)}}]}"
    }

    /// The schema of the tool as the template is shown it.
    private func shown(_ schema: String) async throws -> JSONValue? {
        let server = LocalFront()
        let answer = try await server.post("/v1/chat/completions", body(schema))
        #expect(answer.status == 200, "\(answer.body)")
        let tools = server.commands.compactMap { command -> String? in
            if case .generate(let generate)? = command.command { generate.conversation.tools } else { nil }
        }
        return try JSON.parse(try #require(tools.first))[0]?["function"]?["parameters"]
    }

    @Test(arguments: [
        ("varchar(255)", "string"), ("UUID", "string"), ("int32", "integer"), ("unsigned long", "integer"),
        ("float64", "number"), ("decimal(10,2)", "number"), ("list[str]", "array"), ("dict", "object"),
        ("bool", "boolean"),
    ]) func namesOfOtherLanguagesStandForTypes(_ name: String, _ type: String) async throws {
        let schema = try #require(
            try await shown(
                """
                {"type":"dict","properties":{"a":{"type":"\(name)","description":"\(name)"},"type":{"type":"string"},
                "b":{"anyOf":[{"type":["\(name)","\(type)","null"]}]},"c":{"type":"array","items":{"type":"\(name)"}}}}
                """))
        let a: JSONValue = ["type": .string(type), "description": .string(name)]
        #expect(schema["type"] == "object" && schema["properties"]?["a"] == a)
        #expect(schema["properties"]?["b"]?["anyOf"]?[0]?["type"] == [.string(type), "null"])
        #expect(schema["properties"]?["c"]?["items"]?["type"] == .string(type))
        #expect(schema["properties"]?["type"] == ["type": "string"])
    }

    @Test(arguments: [
        (#"{"type":"unknown_type"}"#, #""unknown_type" at /type"#),
        (#"{"type":"object","properties":{"x":{"type":"internal"}}}"#, #""internal" at /properties/x/type"#),
        (#"{"type":"object","properties":{"x":{"type":"array","items":{"type":5}}}}"#, "5 at /properties/x/items/type"),
        (#"{"anyOf":[{},{"type":["string","list_price"]}]}"#, #"["string","list_price"] at /anyOf/1/type"#),
    ]) func aTypeThatIsNoneIsRefusedWithItsPlace(_ schema: String, _ reason: String) async throws {
        let answer = try await LocalFront().post("/v1/chat/completions", body(schema))
        #expect(answer.status == 400)
        let message = try JSON.parse(answer.body)["message"]?.stringValue
        #expect(message == "Tool 0 function has invalid 'parameters' schema: \(reason) is no type.")
    }
}
