package import APICore

/// What the endpoints of SGLang's own interface take and answer.
extension NativeAPI {
    /// A description for each route.
    package static let descriptions: [RouteDescription] =
        [GenerateDescription.route, GenerateDescription.predictions] + vectors + texts + sessions + models

    /// What the descriptions refer to.
    package static let components: [(name: String, schema: Schema)] =
        GenerateDescription.components + [
            (
                "EmbedRequest",
                .object([
                    .optional("text", .either([.text, .list(of: .anything)]), "A text, texts, or pairs of texts."),
                    .optional("input_ids", .either([.list(of: .integer()), .list(of: .list(of: .integer()))])),
                    .optional("rid", .oneOrMany(.text)),
                    .optional("dimensions", .integer(), "Cut the vector to so many numbers."),
                    .optional("is_cross_encoder_request", .flag), .optional("priority", .integer()),
                ])
            ),
            (
                "EmbedAnswer",
                .object([
                    .required("embedding", .anything, "A vector, or scores by label."),
                    .required("meta_info", .object([])),
                ])
            ),
            (
                "ModelCard",
                .object([
                    .required("id", .text), .required("object", .word(["model"])), .required("created", .integer()),
                    .required("owned_by", .text), .required("root", .text), .required("parent", .nullable(.text)),
                    .required("max_model_len", .nullable(.integer())),
                ])
            ),
        ]

    private static let vectors = ["/encode", "/classify"].map { path in
        RouteDescription(
            path, .vectors,
            path == "/encode" ? "A vector for a text" : "Scores for a text by a reward model or classifier",
            body: .required(.named("EmbedRequest")),
            answers: [.init(200, .json, .oneOrMany(.named("EmbedAnswer")))], failures: [500, 503])
    }

    private static let texts = ["", "/v1"].flatMap { prefix in
        [
            RouteDescription(
                prefix + "/tokenize", .texts, "Text, or a chat, to token ids",
                body: .required(
                    .object([
                        .optional("prompt", .oneOrMany(.text)),
                        .optional("messages", .list(of: .anything), "A chat, in place of a prompt."),
                        .optional("add_special_tokens", .flag), .optional("add_generation_prompt", .flag),
                        .optional("tools", .list(of: .anything)), .optional("chat_template_kwargs", .object([])),
                    ])),
                answers: [
                    .init(
                        200, .json,
                        .object([
                            .required("tokens", .list(of: .either([.integer(), .list(of: .integer())]))),
                            .required("count", .oneOrMany(.integer())),
                            .required("max_model_len", .nullable(.integer())),
                        ]))
                ], failures: [501, 503]),
            RouteDescription(
                prefix + "/detokenize", .texts, "Token ids to text",
                body: .required(
                    .object([
                        .required("tokens", .either([.list(of: .integer()), .list(of: .list(of: .integer()))])),
                        .optional("skip_special_tokens", .flag),
                    ])),
                answers: [.init(200, .json, .object([.required("text", .oneOrMany(.text))]))], failures: [503]),
        ]
    }

    private static let sessions = [
        RouteDescription(
            "/open_session", .texts, "Begin a conversation whose history the server keeps",
            body: .required(
                .object([
                    .required("capacity_of_str_len", .integer()), .optional("session_id", .text),
                    .optional("streaming", .flag), .optional("timeout", .number()),
                ])), answers: [.init(200, .json, .text, "The session's id.")]),
        RouteDescription(
            "/close_session", .texts, "Forget a conversation",
            body: .required(.object([.required("session_id", .text)])),
            answers: [.init(200, .plain)]),
    ]

    private static let modelInfo: Schema = .object([
        .required("model_path", .text), .required("tokenizer_path", .text), .required("is_generation", .flag),
        .required("preferred_sampling_params", .nullable(.object([]))),
    ])

    private static let models = [
        RouteDescription("/get_model_info", .model, "The model, in four keys", answers: [.init(200, .json, modelInfo)]),
        RouteDescription("/model_info", .model, "The model", answers: [.init(200, .json, modelInfo)]),
        RouteDescription(
            "/v1/models", .model, "The models there are",
            answers: [
                .init(
                    200, .json,
                    .object([
                        .required("object", .word(["list"])), .required("data", .list(of: .named("ModelCard"))),
                    ]))
            ]),
        RouteDescription(
            "/v1/models/**", .model, "One model",
            parameters: [.init("model", in: .path, .text, "Its name, which may hold slashes.")],
            answers: [.init(200, .json, .named("ModelCard"))], failures: [404]),
    ]
}
