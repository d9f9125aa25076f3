internal import APICore
internal import Hummingbird
internal import JSON
internal import Messages
internal import ServerSettings

/// How the server is set up and what its worker does now: /server_info.
struct ServerInfoRoutes: Sendable {
    let settings: FrontSettings
    let board: HealthBoard
    let questions: PipeQuestions

    /// The version of SGLang whose interface this server has.
    static let version = "0.5.23"
    /// Seconds the worker gets to tell its numbers.
    static let patience = 2.0
    /// What SGLang captures graphs of kernels for.
    static let graphPhases = [
        "prefill", "decode", "target_verify", "draft_prefill", "draft_decode", "draft_extend",
    ]

    var routes: [Route] {
        ["/get_server_info", "/server_info"].map { path in
            Route([.get], path) { [self] _, _ in .json(.object(await serverInfo())) }
        }
    }

    private func serverInfo() async -> JSONObject {
        let view = board.view
        var info = arguments(view.model)
        let state = await questions.control(patience: Self.patience) { $0.internalState = true }
        info["launch_command"] = .string(settings.launchCommand)
        info["status"] = view.isServing ? "ready" : .string(view.isDraining ? "draining" : "starting")
        info["max_total_num_tokens"] = view.model.map { .int(Int64($0.maxTotalTokens)) } ?? .null
        info["max_req_input_len"] = view.model.map { .int(Int64($0.maxRequestInput)) } ?? .null
        info["startup_time"] = .object(startupTime(view.model))
        info["kv_events"] = .null
        if let state, state.success || state.hasState {
            info["internal_states"] = [.object(internalState(state.state, view.model))]
        } else {
            info["internal_states"] = []
            info["stale"] = true
        }
        info["version"] = .string(Self.version)
        info["frontend"] = "swift"
        return info
    }

    private func arguments(_ model: ModelFacts?) -> JSONObject {
        var resolved: [String: ArgumentValue] = [:]
        if let model {
            resolved["max_total_tokens"] = .integer(Int(model.maxTotalTokens))
            resolved["max_running_requests"] = .integer(Int(model.maxRunning))
            resolved["context_length"] = .integer(Int(model.contextLength))
            resolved["dtype"] = .text(model.dtype)
            resolved["kernel_isa"] = .text(model.kernelIsa)
        }
        var object = settings.argumentsJSON(resolved: resolved).objectValue ?? [:]
        for secret in ["api_key", "admin_api_key"] where object[secret]?.isNull == false { object[secret] = "***" }
        return object
    }

    private func startupTime(_ model: ModelFacts?) -> JSONObject {
        ["load_weight": model.map { .double($0.loadSeconds) } ?? .null, "cuda_graph": .object(graphs)]
    }

    /// Seconds and gigabytes of graphs of kernels, which only GPUs have.
    private var graphs: JSONObject {
        var object: JSONObject = [:]
        for phase in Self.graphPhases { object[phase] = 0.0 }
        return object
    }

    private func internalState(_ state: WorkerState, _ model: ModelFacts?) -> JSONObject {
        var object = arguments(model)
        object["world_size"] = .int(Int64(settings.tensorParallelSize))
        object["startup_time"] = .object(startupTime(model))
        object["effective_max_running_requests_per_dp"] = .int(Int64(state.maxRunning))
        object["last_gen_throughput"] = .double(state.generationThroughput)
        object["memory_usage"] = [
            "weight": .double(gigabytes(state.weightBytes)), "kvcache": .double(gigabytes(state.kvBytes)),
            "token_capacity": .int(Int64(state.slotsTotal)), "token_capacity_swa": .null, "graph": .object(graphs),
        ]
        object["disaggregation_mode"] = "null"
        return object
    }
}

/// Gigabytes (2³⁰ bytes) to three digits.
func gigabytes(_ bytes: UInt64) -> Double { (Double(bytes) / Double(1 << 30) * 1000).rounded() / 1000 }
