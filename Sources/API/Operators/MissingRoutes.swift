internal import APICore
internal import Glibc
internal import HTTPTypes
internal import Hummingbird
internal import JSON
internal import Ledger

/// Operators' endpoints that this server does not have: each says what is missing, none pretends to work.
struct MissingRoutes: Sendable {
    /// Operators have a key of their own.
    let hasAdminKey: Bool

    var routes: [Route] { weights + memory + adapters + tracing + others }

    private static let any: [HTTPRequest.Method] = [.get, .post]

    /// Refuses every request.
    private func refuse(
        _ methods: [HTTPRequest.Method], _ paths: [String], _ failure: @escaping @Sendable (String) -> RequestFailure
    ) -> [Route] {
        paths.map { path in Route(methods, path, .admin) { _, _ in throw failure(path) } }
    }

    /// Answers every request with a body that the route's clients read whatever the status is.
    private func answer(
        _ methods: [HTTPRequest.Method], _ paths: [String], _ status: HTTPResponse.Status,
        _ body: @escaping @Sendable (String) -> JSONValue
    ) -> [Route] {
        paths.map { path in Route(methods, path, .admin) { _, _ in .json(body(path), status: status) } }
    }

    private static func unavailable(_ path: String) -> String {
        "\(path) is not available in this release of the server."
    }

    private var weights: [Route] {
        let paths = [
            "/update_weights_from_tensor", "/update_weights_from_distributed", "/update_weights_from_ipc",
            "/begin_weight_update", "/end_weight_update", "/init_weights_update_group", "/destroy_weights_update_group",
            "/weights_checker", "/init_weights_send_group_for_remote_instance", "/send_weights_to_remote_instance",
            "/pd_role_switch",
        ]
        return answer([.post], paths, .badRequest) { path in
            ["success": false, "message": .string(Self.unavailable(path))]
        } + [Route([.post], "/update_weights_from_disk", .admin) { [self] in try await updateFromDisk($0, $1) }]
    }

    private func updateFromDisk(_ request: Request, _ context: RouteContext) async throws -> Response {
        let fields = try await request.fields(context)
        let path = try fields.required("model_path", fields.string)
        let isThere = access(path, F_OK) == 0
        let message =
            isThere
            ? "Failed to update weights: this release cannot change the weights of a running server."
            : "Failed to get weights iterator: \(path) (repository not found)."
        let body: JSONValue = ["success": false, "message": .string(message), "num_paused_requests": 0]
        return .json(body, status: isThere ? .notImplemented : .badRequest)
    }

    private var memory: [Route] {
        refuse(Self.any, ["/release_memory_occupation", "/resume_memory_occupation"]) { path in
            .invalid("\(path) needs --enable-memory-saver, which this server does not have.")
        }
    }

    private var adapters: [Route] {
        let paths = ["/load_lora_adapter", "/unload_lora_adapter", "/load_lora_adapter_from_tensors"]
        return answer([.post], paths, .badRequest) { _ in
            [
                "rid": .null, "http_worker_ipc": .null, "success": false,
                "error_message": "LoRA is not enabled. Please set `--enable-lora` to enable LoRA.",
                "loaded_adapters": .null,
            ]
        }
    }

    private var tracing: [Route] {
        [
            Route(Self.any, "/slow_down", .admin) { request, context in
                let fields = try await request.fields(context)
                guard fields.object["forward_sleep_time"] != nil else {
                    throw RequestFailure.malformed("body.forward_sleep_time: Field required")
                }
                _ = try fields.double("forward_sleep_time")
                throw RequestFailure.notBuilt(Self.unavailable("/slow_down"))
            }
        ]
    }

    private var others: [Route] {
        let corpora = ["/add_external_corpus", "/remove_external_corpus", "/list_external_corpora"]
        let elastic = ["/scale_elastic_ep", "/is_scaling_elastic_ep"]
        let hierarchy = ["/hicache/**", "/get_hicache_l3_cache_layout"]
        let remote = ["/remote_instance_transfer_engine_info", "/get_remote_instance_transfer_engine_info"]
        return refuse(Self.any, corpora) { _ in .invalid("Ngram speculative decoding is not enabled.") }
            + refuse(Self.any, remote) { .invalid("\($0) needs RDMA, which this server does not use.") }
            + answer(Self.any, elastic, .notFound) { _ in
                ["error": "elastic EP is not enabled (set --elastic-ep-backend)"]
            }
            + (hasAdminKey
                ? refuse(Self.any, hierarchy) {
                    .invalid("\($0) needs a hierarchical cache, which this server does not have.")
                }
                : answer(Self.any, hierarchy, .badRequest) { _ in
                    [
                        "error": .string(
                            "This endpoint requires admin API key, but this server was started without one "
                                + "(admin-api-key). Restart with --admin-api-key to enable.")
                    ]
                })
    }
}
