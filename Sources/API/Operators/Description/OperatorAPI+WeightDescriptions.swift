internal import APICore

/// What the endpoints for weights, memory and what a CPU server lacks take and answer.
extension OperatorAPI {
    private static let outcome: [RouteDescription.Answer] = [
        .init(200, .json, .named("Outcome")),
        .init(400, .json, .either([.named("Outcome"), .named("Failure")]), "The text says why not."),
    ]

    /// An order whose outcome is an object.
    private static func order(_ path: String, _ summary: String, _ members: [Schema.Member]) -> RouteDescription {
        RouteDescription(
            path, .weights, summary, body: .required(.object(members)), answers: outcome, failures: [501, 503, 504])
    }

    static let weights: [RouteDescription] =
        ["/update_weights_from_disk", "/update_weights"].map { path in
            order(
                path, "Take weights of the same shape from a folder",
                [
                    .required("model_path", .text), .optional("load_format", .text),
                    .optional("abort_all_requests", .flag), .optional("weight_version", .text),
                    .optional("flush_cache", .flag),
                ])
        } + [
            order("/update_weights_from_tensor", "Take weights out of the request", []),
            order("/begin_weight_update", "Open a window in which weights change", []),
            order("/end_weight_update", "Close that window", []), order("/weights_checker", "Compare the weights", []),
            order(
                "/update_weight_version", "Rename the weights",
                [.required("new_version", .text), .optional("abort_all_requests", .flag)]),
            RouteDescription(
                "/get_weights_by_name", .weights, "The first rows of a tensor",
                body: .required(.object([.required("name", .text), .optional("truncate_size", .integer(least: 0))])),
                answers: [.init(200, .json, .list(of: .anything))], failures: [504]),
            memory("/release_memory_occupation", "Give memory back to the system"),
            memory("/resume_memory_occupation", "Take that memory again"),
        ]

    private static func memory(_ path: String, _ summary: String) -> RouteDescription {
        RouteDescription(
            path, .weights, summary,
            body: .optional(.object([.optional("tags", .list(of: .word(["weights", "kv_cache", "cuda_graph"])))])),
            answers: [.init(200, .json, .null)], failures: [504])
    }

    static let unavailable: [RouteDescription] =
        [
            "/update_weights_from_distributed", "/update_weights_from_ipc", "/init_weights_update_group",
            "/destroy_weights_update_group", "/init_weights_send_group_for_remote_instance",
            "/send_weights_to_remote_instance", "/pd_role_switch",
        ].map { path in
            .refused(
                path, "Needs GPUs or several machines", body: .optional(.anything),
                schema: .either([.named("Outcome"), .named("Failure")]))
        }
        + ["/load_lora_adapter", "/unload_lora_adapter", "/load_lora_adapter_from_tensors"].map { path in
            .refused(path, "Needs LoRA", body: .optional(.anything), schema: .named("LoRAOutcome"))
        }
        + ["/add_external_corpus", "/remove_external_corpus", "/list_external_corpora"].map { path in
            .refused(path, "Needs n-gram speculation", body: .optional(.anything))
        }
        + ["/scale_elastic_ep", "/is_scaling_elastic_ep"].map { path in
            .refused(path, "Needs elastic expert parallelism", body: .optional(.anything), status: 404)
        }
        + [
            "/get_hicache_l3_cache_layout", "/remote_instance_transfer_engine_info",
            "/get_remote_instance_transfer_engine_info",
        ].map { path in
            .refused(path, "Needs hierarchical caches or RDMA", body: .optional(.anything))
        }
        + [
            RouteDescription(
                "/hicache/**", .unavailable, "Needs hierarchical caches",
                parameters: [.init("rest", in: .path, .text, "An order to the cache.")], body: .optional(.anything),
                answers: [.init(400, .json, .named("Failure"))], failures: [404])
        ]
}
