internal import Glibc
internal import HTTPTypes
internal import Hummingbird
internal import JSON
internal import ServerSettings

/// SGLang's endpoints that this server does not have: each says what is missing, none pretends to work.
struct MissingRoutes: Sendable {
    let front: Front

    var routes: [Routes.Route] { embeddings + openAI + weights + adapters + experts + tracing + others }

    /// Methods of a route that takes a body.
    private static let posts: [HTTPRequest.Method] = [.post, .put]
    private static let any: [HTTPRequest.Method] = [.get, .post]

    /// Answers every request with one failure.
    private func refuse(
        _ methods: [HTTPRequest.Method], _ paths: [String], _ level: Authentication.Level = .normal,
        _ failure: @escaping @Sendable (String) -> RequestFailure
    ) -> [Routes.Route] {
        paths.map { path in Routes.Route(methods, path, level) { _, _ in throw failure(path) } }
    }

    private static func unavailable(_ path: String) -> RequestFailure {
        .missing("\(path) is not available in this release of the server.")
    }

    private var embeddings: [Routes.Route] {
        let text =
            "This model does not appear to be an embedding model by default. Please add `--is-embedding` when launching "
            + "the server or try another model."
        return refuse(Self.posts, ["/encode", "/classify"]) { _ in .semantic(text) }
            + refuse(Self.posts, ["/v1/embeddings", "/v1/classify", "/v1/rerank"]) { _ in
                RequestFailure(status: 400, message: text, shape: .condition, errorType: "BadRequestError")
            }
    }

    private var openAI: [Routes.Route] {
        let paths = [
            "/v1/chat/completions", "/v1/completions", "/v1/responses", "/v1/messages", "/v1/messages/count_tokens",
            "/invocations", "/vertex_generate", "/v1/score", "/v1/audio/transcriptions", "/v1/decisions",
            "/v1/systemone",
            "/api/chat", "/api/generate", "/parse_function_call", "/separate_reasoning",
        ]
        return refuse(Self.posts, paths) { path in
            RequestFailure(
                status: 501, message: "\(path) is not available in this release of the server.", shape: .condition,
                errorType: "NotImplementedError")
        }
    }

    private var weights: [Routes.Route] {
        let paths = [
            "/update_weights_from_tensor", "/update_weights_from_distributed", "/update_weights_from_ipc",
            "/begin_weight_update", "/end_weight_update", "/init_weights_update_group", "/destroy_weights_update_group",
            "/weights_checker", "/init_weights_send_group_for_remote_instance", "/send_weights_to_remote_instance",
            "/pd_role_switch",
        ]
        let refusals = refuse([.post], paths, .admin) { path in
            RequestFailure(
                status: 501,
                message: JSON.encodeToString(Self.outcome("\(path) is not available in this release of the server.")),
                shape: .json)
        }
        let memory = refuse(Self.any, ["/release_memory_occupation", "/resume_memory_occupation"], .admin) { path in
            .semantic("\(path) needs --enable-memory-saver, which this server does not have.")
        }
        return refusals + memory + [
            .init([.post], "/update_weights_from_disk", .admin) { [self] in try await updateFromDisk($0, $1) }
        ]
    }

    private static func outcome(_ message: String) -> JSONValue { ["success": false, "message": .string(message)] }

    private func updateFromDisk(_ request: Request, _ context: FrontContext) async throws -> Response {
        let fields = try RequestFields(body: try await request.bytes(upTo: front.settings.maxBodySize, context))
        let path = try fields.required("model_path", fields.string)
        let isThere = access(path, F_OK) == 0
        let message =
            isThere
            ? "Failed to update weights: this release cannot change the weights of a running server."
            : "Failed to get weights iterator: \(path) (repository not found)."
        let body: JSONValue = ["success": false, "message": .string(message), "num_paused_requests": 0]
        return .json(status: isThere ? .notImplemented : .badRequest, bytes: JSON.encode(body))
    }

    private var adapters: [Routes.Route] {
        let body: JSONValue = [
            "rid": .null, "http_worker_ipc": .null, "success": false,
            "error_message": "LoRA is not enabled. Please set `--enable-lora` to enable LoRA.",
            "loaded_adapters": .null,
        ]
        let paths = ["/load_lora_adapter", "/unload_lora_adapter", "/load_lora_adapter_from_tensors"]
        return refuse([.post], paths, .admin) { _ in
            RequestFailure(status: 400, message: JSON.encodeToString(body), shape: .json)
        }
    }

    private var experts: [Routes.Route] {
        let paths = ["start", "stop", "dump"].map { "/\($0)_expert_distribution_record" }
        return refuse(Self.any, paths, .admin) { _ in
            .semantic("Please set ServerArgs.expert_distribution_recorder_mode to use ExpertDistributionRecorder.")
        }
    }

    private var tracing: [Routes.Route] {
        refuse(Self.any, ["/start_profile", "/set_trace_level"], .admin, Self.unavailable)
            + refuse(Self.any, ["/stop_profile"], .admin) { _ in
                .semantic("Profiling is not in progress. Call /start_profile first.")
            }
            + [
                .init(Self.any, "/slow_down", .admin) { [self] request, context in
                    let fields = try RequestFields(
                        body: try await request.bytes(upTo: front.settings.maxBodySize, context))
                    guard fields.object["forward_sleep_time"] != nil else {
                        throw RequestFailure.schema("body.forward_sleep_time: Field required")
                    }
                    _ = try fields.double("forward_sleep_time")
                    throw Self.unavailable("/slow_down")
                }
            ]
    }

    private var others: [Routes.Route] {
        let corpora = refuse(
            Self.any, ["/add_external_corpus", "/remove_external_corpus", "/list_external_corpora"], .admin
        ) { _ in
            .semantic("Ngram speculative decoding is not enabled.")
        }
        let elastic = refuse(Self.any, ["/scale_elastic_ep", "/is_scaling_elastic_ep"], .admin) { _ in
            RequestFailure(
                status: 404, message: "elastic EP is not enabled (set --elastic-ep-backend)", shape: .contract)
        }
        let hasAdminKey = front.settings.adminAPIKey != nil
        let hierarchy = refuse(Self.any, ["/hicache/**", "/get_hicache_l3_cache_layout"], .admin) { path in
            hasAdminKey
                ? Self.unavailable(path)
                : .contract(
                    "This endpoint requires admin API key, but this server was started without one (admin-api-key). Restart with "
                        + "--admin-api-key to enable.")
        }
        return corpora + elastic + hierarchy
    }
}
