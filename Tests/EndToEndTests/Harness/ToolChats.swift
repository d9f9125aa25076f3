import JSON

/// Chats in which the model that says what it is told thinks, speaks, and calls a tool twice.
enum ToolChats {
    /// What the server has to be told of them.
    static let flags = ["--tool-call-parser", "qwen", "--reasoning-parser", "qwen3"]
    /// The share of thinking in an answer, some 60 of its tokens.
    static let budget: JSONValue = 0.02

    private static let tools: JSONValue = [
        [
            "type": "function",
            "function": ["name": "note", "parameters": ["type": "object", "properties": ["text": [:]]]],
        ]
    ]

    /// What the model says: thoughts, text, and two calls, long enough to die in each.
    private static func saying(_ index: Int) -> String {
        let line = "The keeper counts \(index) lamps, 水位 \(index * 7) cm. "
        let call = { (text: String) in
            "<tool_call>\n{\"name\": \"note\", \"arguments\": {\"text\": \"\(text)\", \"n\": [\(index), null]}}\n</tool_call>"
        }
        return "<think>\n" + String(repeating: line, count: 6) + "\n</think>\n\nI note it. "
            + call(String(repeating: line, count: 8)) + "\n" + call("short")
    }

    /// A request: as a stream or not, for one answer or two, with log probabilities or a budget for thoughts.
    static func body(_ index: Int, on server: Server) throws -> JSONObject {
        var body: JSONObject = [
            "messages": [
                ["role": "user", "content": .string(try EchoModel.prompt(saying: saying(index), on: server))]
            ],
            "tools": tools, "temperature": 0, "stream": .bool(index % 4 != 3),
            "n": .int(index % 4 == 2 ? 2 : 1), "logprobs": .bool(index % 2 == 1), "top_logprobs": 1,
            "stream_options": ["include_usage": true],
        ]
        if index % 4 == 1 { body["reasoning_effort"] = budget }
        return body
    }
}
