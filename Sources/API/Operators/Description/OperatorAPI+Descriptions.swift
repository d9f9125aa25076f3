package import APICore

/// What the endpoints for operators and their machines take and answer.
extension OperatorAPI {
    /// A description for each route.
    package static let descriptions: [RouteDescription] =
        health + numbers + control + tracing + weights + described + unavailable

    /// What the descriptions refer to.
    package static let components: [(name: String, schema: Schema)] = [
        (
            "Outcome",
            .object([
                .required("success", .flag), .required("message", .text), .optional("num_paused_requests", .anything),
            ])
        ),
        (
            "Process",
            .object([
                .required("name", .text), .required("title", .text), .required("pid", .integer()),
                .required("rank", .integer()), .required("generation", .integer()), .required("state", .text),
                .required("restarts", .integer()), .required("last_exit", .nullable(.object([]))),
            ])
        ),
        (
            "Load",
            .object([
                .required("timestamp", .number()), .required("dp_rank", .integer()),
                .required("num_running_reqs", .integer()), .required("num_waiting_reqs", .integer()),
                .required("max_total_num_tokens", .integer()), .required("token_usage", .number()),
                .required("gen_throughput", .number()), .optional("memory", .object([])),
                .optional("queues", .object([])), .optional("disaggregation", .object([])),
            ])
        ),
        ("LoRAOutcome", .object([.required("success", .flag), .required("error_message", .nullable(.text))])),
    ]

    private static let health = [
        ("/health", "Requests are answered"), ("/ping", "Requests are answered, maybe after a pause"),
        ("/ready", "Requests are answered, and generation is not paused"),
        ("/health_generate", "A token came back through all processes"),
    ].map { path, summary in
        RouteDescription(
            path, .health, summary,
            answers: [.init(200, .plain), .init(503, .plain, .anything, "Not so.")])
    }

    private static let numbers = [
        RouteDescription(
            "/v1/processes", .health, "The server's processes",
            answers: [.init(200, .json, .list(of: .named("Process")))]),
        RouteDescription("/get_load", .health, "How busy the worker is, for older gateways", failures: [504]),
        RouteDescription(
            "/v1/loads", .health, "How busy the worker is",
            parameters: [
                .init("dp_rank", .integer(), "0, the only rank there is."),
                .init("include", .text, "Sections, parted by commas: core, memory, spec, lora, disagg, queues, all."),
                .init("format", .word(["json", "prometheus"]), "How the answer is written."),
            ],
            answers: [
                .init(
                    200,
                    [
                        (
                            .json,
                            .object([
                                .required("timestamp", .text), .required("version", .text),
                                .required("num_accelerators", .integer()),
                                .required("loads", .list(of: .named("Load"))),
                            ])
                        ), (.text, .text),
                    ])
            ], failures: [504]),
        RouteDescription("/get_server_info", .model, "All settings and the worker's state", answers: [object]),
        RouteDescription("/server_info", .model, "All settings and the worker's state", answers: [object]),
        RouteDescription("/metrics", .health, "Numbers for Prometheus", answers: [.init(200, .text, .text)]),
        RouteDescription(
            "/metrics/**", .health, "Numbers for Prometheus",
            parameters: [.init("rest", in: .path, .text, "Makes no difference.")], answers: [.init(200, .text, .text)]),
    ]

    private static let object = RouteDescription.Answer(200, .json, .object([]))

    private static let status = RouteDescription.Answer(
        200, .json, .object([.required("message", .text), .required("status", .text)]))

    private static let control = [
        RouteDescription(
            "/flush_cache", .control, "Empty the prefix cache of an idle server",
            parameters: [.init("timeout", .number(least: 0), "Seconds to wait until the server is idle.")],
            answers: [
                .init(200, .plain), .init(400, .plain, .anything, "Requests run or wait, or the query makes no sense."),
            ], failures: [504]),
        RouteDescription(
            "/abort_request", .control, "End requests whose name begins so, or all",
            body: .optional(.object([.optional("rid", .text), .optional("abort_all", .flag)])),
            answers: [.init(200, .plain)]),
        RouteDescription(
            "/pause_generation", .control, "Stop all generation",
            body: .optional(.object([.optional("mode", .word(["abort", "retract", "in_place"]))])), answers: [status],
            failures: [504]),
        RouteDescription(
            "/continue_generation", .control, "Go on after a pause",
            body: .optional(.object([.optional("torch_empty_cache", .flag)])), answers: [status], failures: [504]),
        RouteDescription(
            "/set_internal_state", .control, "Change arguments of a running server: none can be",
            body: .required(.object([.required("server_args", .object([]))])),
            answers: [.init(200, .json, .list(of: .flag))]),
        RouteDescription(
            "/slow_down", .control, "Sleep before each step, for tests",
            body: .required(.object([.required("forward_sleep_time", .nullable(.number()))])),
            answers: [.init(200, .json, .null)], failures: [501, 504]),
        RouteDescription(
            "/freeze_gc", .control, "Nothing: there is no garbage collector", answers: [.init(200, .plain)]),
    ]

    private static let tracing =
        [
            RouteDescription(
                "/configure_logging", .tracing, "Change what is written about requests",
                body: .optional(
                    .object([
                        .optional("log_requests", .flag), .optional("log_requests_level", .integer(least: 0, most: 3)),
                        .optional("log_requests_format", .word(["text", "json"])),
                        .optional(
                            "dump_requests_folder", .text, "Finished requests go there as JSON lines; '' ends it."),
                        .optional("dump_requests_threshold", .integer(least: 1), "Requests in one file."),
                        .optional("dump_requests_exclude_meta_keys", .list(of: .text)),
                    ])), answers: [.init(200, .plain)]),
            RouteDescription(
                "/start_profile", .tracing, "Record what the worker does",
                body: .optional(
                    .object([
                        .optional("output_dir", .text), .optional("num_steps", .integer(least: 1)),
                        .optional("start_step", .integer(least: 0)), .optional("activities", .list(of: .text)),
                        .optional("profile_id", .text), .optional("profile_prefix", .text),
                    ])), answers: [.init(200, .plain)], failures: [504]),
            RouteDescription(
                "/stop_profile", .tracing, "Write the record as a trace", answers: [.init(200, .plain)],
                failures: [400, 504]),
            RouteDescription(
                "/set_trace_level", .tracing, "Set the level of traces, of which none are sent",
                parameters: [.init("level", .integer(least: 0), "0 to 3.")], answers: [.init(200, .plain)]),
        ]
        + ["start", "stop", "dump"].map { word in
            RouteDescription(
                "/\(word)_expert_distribution_record", .tracing, "Count which experts compute: \(word)",
                answers: [.init(200, .plain)], failures: [400, 504])
        }

    private static let described = [
        RouteDescription("/openapi.json", .model, "This description", answers: [object])
    ]
}
