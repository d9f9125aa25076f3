internal import APICore
internal import ChatAPI
internal import JSON
internal import Ledger

/// What /api/chat and /api/generate are asked, as requests in OpenAI's manner.
struct OllamaRequest: Sendable {
    /// The name that the client gave the model.
    let model: String
    let isStreamed: Bool
    /// The same as a body of a chat, or of a completion.
    private(set) var body: JSONObject = [:]

    private init(_ fields: RequestFields) throws(RequestFailure) {
        model = try fields.string("model") ?? "default"
        isStreamed = try fields.bool("stream", or: true)
        for name in ["tools", "template", "suffix"] {
            guard let value = fields[name], value != [], value != "" else { continue }
            throw .unsupported(name)
        }
        // Without effect at the reference too: it has no use for `keep_alive`, `think` and `context`.
        if let format = fields["format"], format != "" { try form(format) }
        body["stream"] = .bool(isStreamed)
        try options(fields.fields("options"))
    }

    /// Reads the body of /api/chat.
    init(chat fields: RequestFields) throws(RequestFailure) {
        try self.init(fields)
        guard let list = fields["messages"] else { throw RequestReading().failure(at: "messages", .missing) }
        let cursor = RequestCursor(list, RequestReading(), path: "messages")
        body["messages"] = .array(
            try cursor.list { message throws(RequestFailure) -> JSONValue in
                if let images = try message.member("images"), images.value != [] { throw .unsupported("images") }
                let content = try message.member("content")?.string() ?? ""
                return ["role": .string(try message.required("role").string()), "content": .string(content)]
            })
    }

    /// Reads the body of /api/generate.
    init(generate fields: RequestFields) throws(RequestFailure) {
        try self.init(fields)
        if let images = fields["images"], images != [] { throw .unsupported("images") }
        let prompt = try fields.string("prompt") ?? ""
        let system = try fields.string("system") ?? ""
        body["prompt"] = .string(prompt.isEmpty || system.isEmpty ? prompt : system + "\n\n" + prompt)
    }

    /// A form of the answer is a grammar.
    private mutating func form(_ format: JSONValue) throws(RequestFailure) {
        if format == "json" {
            body["response_format"] = ["type": "json_object"]
        } else {
            body["response_format"] = ["type": "json_schema", "json_schema": ["name": "format", "schema": format]]
        }
    }

    private mutating func options(_ options: RequestFields?) throws(RequestFailure) {
        let limit = try options?.int("num_predict") ?? 2048
        // −1 stands for no limit at Ollama.
        body["max_tokens"] = limit < 0 ? .null : .int(Int64(limit))
        guard let options else { return }
        for name in [
            "temperature", "top_p", "top_k", "min_p", "stop", "presence_penalty", "frequency_penalty", "seed",
        ] {
            if let value = options[name] { body[name] = value }
        }
        if let penalty = options["repeat_penalty"] { body["repetition_penalty"] = penalty }
        // Ollama's word for no limit.
        if body["top_k"] == 0 { body["top_k"] = -1 }
    }
}
