package import APICore

/// What the endpoints in OpenAI's, Anthropic's and Ollama's manner take and answer.
extension OpenAIAPI {
    /// A description for each route.
    package static let descriptions: [RouteDescription] = chats + models + vectors + parsers + elsewhere

    private static let messages: [Schema.Member] = [
        .required("messages", .list(of: .object([.required("role", .text), .optional("content", .anything)]))),
        .optional("model", .text), .optional("stream", .flag), .optional("temperature", .number()),
        .optional("max_tokens", .integer()),
    ]
    private static let prompt: [Schema.Member] = [
        .required("prompt", .anything, "A text, texts, or token ids."), .optional("model", .text),
        .optional("stream", .flag), .optional("temperature", .number()), .optional("max_tokens", .integer()),
    ]

    /// An endpoint that answers with an object, or with a stream where one is asked for.
    private static func chat(
        _ path: String, _ summary: String, _ members: [Schema.Member], stream: RouteDescription.Content = .events
    ) -> RouteDescription {
        RouteDescription(
            path, .generation, summary, body: .required(.object(members)),
            answers: [.init(200, [(.json, .object([])), (stream, .text)])], failures: [404, 500, 501, 503])
    }

    private static let chats = [
        chat("/v1/chat/completions", "Answer a chat", messages), chat("/invocations", "Answer a chat", messages),
        chat("/v1/completions", "Continue a prompt", prompt),
        chat(
            "/v1/responses", "Answer in OpenAI's Responses manner",
            [.required("input", .anything), .optional("model", .text), .optional("stream", .flag)]),
        chat("/v1/messages", "Answer in Anthropic's manner", messages),
        chat("/v1/messages/count_tokens", "Count the tokens of a chat", messages),
        chat("/api/chat", "Answer in Ollama's manner", messages, stream: .lines),
        chat("/api/generate", "Continue in Ollama's manner", prompt, stream: .lines),
    ]

    /// What the model is, in Ollama's manner.
    private static let models: [RouteDescription] = [
        RouteDescription(
            "/v1/responses/:id", .generation, "A response that is kept (--enable-response-store), or forget it",
            failures: [400, 404]),
        RouteDescription(
            "/v1/responses/:id/cancel", .generation, "Cancel a response that is made in the background",
            failures: [400, 404]),
        RouteDescription("/api/tags", .model, "The model, in Ollama's manner"),
        RouteDescription("/api/ps", .model, "The model as one that is loaded, in Ollama's manner"),
        RouteDescription("/api/version", .model, "The version of Ollama's interface"),
        plain("/api/show", .model, "What the model is, in Ollama's manner", [.optional("model", .text)]),
    ]

    /// An endpoint whose answer is one JSON value.
    private static func plain(
        _ path: String, _ group: RouteDescription.Group, _ summary: String, _ members: [Schema.Member]
    ) -> RouteDescription {
        RouteDescription(
            path, group, summary, body: .required(.object(members)), failures: [404, 500, 501, 503])
    }

    private static let vectors = [
        plain(
            "/v1/embeddings", .vectors, "Vectors for texts",
            [
                .required("input", .anything, "A text, texts, or token ids."), .optional("model", .text),
                .optional("encoding_format", .word(["float", "base64"])), .optional("dimensions", .integer()),
            ]),
        plain(
            "/v1/classify", .vectors, "Classes of texts", [.required("input", .anything), .optional("model", .text)]),
        plain(
            "/v1/rerank", .vectors, "Documents by how well they answer a query",
            [
                .required("query", .anything), .required("documents", .list(of: .anything)),
                .optional("top_n", .integer()), .optional("return_documents", .flag), .optional("instruct", .text),
            ]),
        plain(
            "/v1/score", .vectors, "How probable some tokens are behind a query and items",
            [
                .required("query", .anything), .required("items", .anything),
                .optional("label_token_ids", .list(of: .integer())), .optional("apply_softmax", .flag),
                .optional("item_first", .flag),
            ]),
    ]

    private static let parsers = [
        plain(
            "/parse_function_call", .texts, "Calls of tools in a text",
            [
                .required("text", .text), .required("tools", .list(of: .anything)),
                .optional("tool_call_parser", .text),
            ]),
        plain(
            "/separate_reasoning", .texts, "Thoughts and answer of a text",
            [.required("text", .text), .required("reasoning_parser", .text)]),
    ]

    private static let elsewhere = [
        plain("/v1/audio/transcriptions", .unavailable, "Needs a model that hears", []),
        plain("/v1/decisions", .unavailable, "Needs a decision model", []),
        plain("/v1/systemone", .unavailable, "Needs a decision model", []),
    ]
}
