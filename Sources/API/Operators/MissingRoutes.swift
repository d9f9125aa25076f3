internal import APICore
internal import HTTPTypes
internal import Hummingbird
internal import JSON
internal import Ledger

/// Operators' endpoints that this server does not have: each says what is missing, none pretends to work.
struct MissingRoutes: Sendable {
    /// Operators have a key of their own.
    let hasAdminKey: Bool

    var routes: [Route] { weights + adapters + others }

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
            "/update_weights_from_distributed", "/update_weights_from_ipc", "/init_weights_update_group",
            "/destroy_weights_update_group", "/init_weights_send_group_for_remote_instance",
            "/send_weights_to_remote_instance", "/pd_role_switch",
        ]
        return answer([.post], paths, .badRequest) { path in
            ["success": false, "message": .string(Self.unavailable(path))]
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
