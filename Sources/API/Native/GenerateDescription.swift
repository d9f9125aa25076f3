internal import APICore

/// What POST /generate takes and answers.
enum GenerateDescription {
    static let route = RouteDescription(
        "/generate", .generation, "Continue a prompt, or several",
        parameters: [
            .init("X-Data-Parallel-Rank", in: .header, .text, "0, the only rank there is."),
            .init("X-SMG-Routing-Key", in: .header, .text, "Requests with the same key had better run together."),
        ],
        body: .required(.named("GenerateRequest")),
        answers: [
            .init(
                200,
                [
                    (.json, .oneOrMany(.named("GenerateAnswer"))),
                    // Frames `data: …`, each with such an object, and `data: [DONE]` as the last.
                    (.events, .text),
                ], "One object; a list where the prompts or samples are several; a stream where one was asked for.")
        ], failures: [500, 503])

    /// The same in Vertex AI's manner.
    static let predictions = RouteDescription(
        "/vertex_generate", .generation, "Continue prompts in Vertex AI's manner",
        body: .required(
            .object([
                .required("instances", .list(of: .named("GenerateRequest")), "Prompts, all in the form of the first."),
                .optional("parameters", .named("GenerateRequest"), "What holds for all of them."),
            ])),
        answers: [
            .init(
                200,
                [
                    (
                        .json,
                        .either([
                            .object([
                                .required(
                                    "predictions",
                                    .either([.named("GenerateAnswer"), .list(of: .named("GenerateAnswer"))]))
                            ]),
                            .list(of: .anything),
                        ])
                    ), (.events, .text),
                ])
        ], failures: [500, 503])

    static let components: [(name: String, schema: Schema)] = [
        ("SamplingParams", .object(SamplingSchema.keys.map { .optional($0.name, schema(of: $0.kind)) })),
        ("GenerateRequest", .object(prompts + logprobs + treatment)),
        ("MetaInfo", .object(metaInfo)),
        (
            "GenerateAnswer",
            .object([
                .required("output_ids", .list(of: .integer()), "Ids of the new tokens."),
                .required("meta_info", .named("MetaInfo")),
                .optional("text", .text, "The new text; absent where the server runs without a tokenizer."),
                .optional("prompt_token_ids", .list(of: .integer())),
                .optional("index", .integer(), "In a stream of several answers: which one."),
            ])
        ),
    ]

    private static func schema(of kind: SamplingSchema.Kind) -> Schema {
        switch kind {
        case .integer: .integer()
        case .unsigned: .integer(least: 0)
        case .number: .number()
        case .string: .text
        case .flag: .flag
        case .strings: .oneOrMany(.text)
        case .integers: .list(of: .integer())
        case .map: .object([])
        }
    }

    private static let prompts: [Schema.Member] = [
        .optional("text", .oneOrMany(.text), "The prompt, or a list of prompts."),
        .optional(
            "input_ids", .either([.list(of: .integer()), .list(of: .list(of: .integer()))]),
            "The same as token ids; they win over text."),
        .optional("input_embeds", .list(of: .anything), "The same as vectors."),
        .optional("sampling_params", .oneOrMany(.named("SamplingParams"))),
        .optional("rid", .oneOrMany(.text), "The request's name; a random one otherwise."),
        .optional("stream", .flag, "Answer with a stream of server-sent events."),
    ]

    private static let logprobs: [Schema.Member] = [
        .optional("return_logprob", .oneOrMany(.flag)),
        .optional(
            "logprob_start_len", .oneOrMany(.integer()), "First position of the prompt that is scored; -1: none."),
        .optional("top_logprobs_num", .oneOrMany(.integer()), "Alternatives at each position."),
        .optional("token_ids_logprob", .either([.list(of: .integer()), .list(of: .list(of: .integer()))])),
        .optional("return_text_in_logprobs", .flag),
        .optional("return_prompt_token_ids", .flag),
        .optional("return_hidden_states", .oneOrMany(.flag)),
        .optional("return_routed_experts", .flag, "Needs --enable-return-routed-experts."),
        .optional("routed_experts_start_len", .integer(least: 0), "First position whose experts are told."),
    ]

    private static let treatment: [Schema.Member] = [
        .optional("session_params", .object([.required("id", .text), .optional("rid", .text)])),
        .optional("lora_path", .oneOrMany(.nullable(.text))),
        .optional("priority", .integer()),
        .optional("extra_key", .oneOrMany(.text), "Requests with different keys share no cached prefix."),
        .optional("cache_salt", .text), .optional("routing_key", .text),
        .optional("routed_dp_rank", .integer()),
        .optional("require_reasoning", .flag, "A grammar begins behind the thinking part; needs --reasoning-parser."),
        .optional("log_metrics", .flag), .optional("no_logs", .flag),
    ]

    private static let metaInfo: [Schema.Member] = [
        .required("id", .text), .required("finish_reason", .nullable(.object([.required("type", .text)]))),
        .required("prompt_tokens", .integer()), .required("completion_tokens", .integer()),
        .required("cached_tokens", .integer()), .required("weight_version", .text),
        .optional("num_retractions", .integer()), .optional("e2e_latency", .number()),
    ]
}
