internal import APICore
internal import Glibc
internal import HTTPTypes
internal import Hummingbird
internal import JSON
internal import Ledger
internal import Messages
internal import NIOCore
internal import Values

/// How busy the worker is: /v1/loads, as JSON or for Prometheus, and /get_load for older gateways.
struct LoadRoutes: Sendable {
    let questions: PipeQuestions
    let clock: @Sendable () -> Double

    private static let sections = ["core", "memory", "spec", "lora", "disagg", "queues", "all"]

    var routes: [Route] {
        [
            Route([.get], "/v1/loads") { [self] request, _ in try await loads(request) },
            Route([.get], "/get_load") { [self] _, _ in try await briefLoad() },
        ]
    }

    /// The older endpoint, by which gateways of its time weigh their workers.
    private func briefLoad() async throws -> Response {
        guard let reply = await questions.control(patience: ServerInfoRoutes.patience, { $0.internalState = true })
        else {
            throw RequestFailure.noAnswer
        }
        let state = reply.state
        return .json([
            [
                "dp_rank": 0, "num_reqs": .int(Int64(state.running) + Int64(state.waiting)),
                "num_waiting_reqs": .int(Int64(state.waiting)), "num_tokens": .int(Int64(state.slotsHeld)),
            ]
        ])
    }

    private func loads(_ request: Request) async throws -> Response {
        let query = request.uri.queryParameters
        if let rank = query["dp_rank"] {
            guard let rank = Int(rank) else {
                throw RequestFailure.malformed("query.dp_rank: Input should be a valid integer")
            }
            guard rank == 0 else { throw RequestFailure.invalid("dp_rank=\(rank) out of range [0, 1)") }
        }
        let include = (query["include"].map(String.init) ?? "all").split(separator: ",").map(String.init)
        if let unknown = include.first(where: { !Self.sections.contains($0) }) {
            throw RequestFailure.invalid(
                "Unknown section '\(unknown)' in include; expected one of \(Self.sections.joined(separator: ", ")).")
        }
        let format = query["format"].map(String.init) ?? "json"
        guard ["json", "prometheus"].contains(format) else {
            throw RequestFailure.invalid("Unknown format '\(format)'; expected json or prometheus.")
        }
        guard let reply = await questions.control(patience: ServerInfoRoutes.patience, { $0.internalState = true })
        else {
            throw RequestFailure.noAnswer
        }
        let core = Self.core(reply.state)
        if format == "prometheus" {
            return Response(
                status: .ok, headers: [.contentType: ExpositionText.contentType],
                body: .init(byteBuffer: ByteBuffer(string: Self.prometheus(core))))
        }
        return .json(.object(document(core, reply.state, Set(include))))
    }

    private func document(_ core: JSONObject, _ state: WorkerState, _ include: Set<String>) -> JSONObject {
        let now = clock()
        var load: JSONObject = ["timestamp": .double(now), "dp_rank": 0]
        for (name, value) in core { load[name] = value }
        let wants = { (section: String) in include.contains("all") || include.contains(section) }
        if wants("memory") {
            load["memory"] = [
                "weight_gb": .double(gigabytes(state.weightBytes)), "kv_cache_gb": .double(gigabytes(state.kvBytes)),
                "graph_gb": 0.0, "token_capacity": .int(Int64(state.slotsTotal)),
                // These three add up to the capacity, so that a leak shows.
                "slots_free": .int(Int64(state.slotsFree)), "slots_cached": .int(Int64(state.slotsCached)),
                "slots_held": .int(Int64(state.slotsHeld)),
            ]
        }
        if wants("disagg") {
            load["disaggregation"] = [
                "mode": "null", "prefill_bootstrap_queue_reqs": 0, "prefill_inflight_queue_reqs": 0,
                "decode_prealloc_queue_reqs": 0, "decode_transfer_queue_reqs": 0, "decode_retracted_queue_reqs": 0,
                "kv_transfer_speed_gb_s": 0.0, "kv_transfer_latency_ms": 0.0,
            ]
        }
        if wants("queues") {
            load["queues"] = [
                "waiting": .int(Int64(state.waiting)), "grammar": .int(Int64(state.awaitingGrammars)),
                "paused": .int(Int64(state.paused)), "retracted": 0, "prealloc_ready": 0,
            ]
        }
        return [
            "timestamp": .string(CalendarTime(utc: now).iso + "+00:00"), "version": .string(ServerInfoRoutes.version),
            "accelerator": .null,
            "num_accelerators": 1, "loads": [.object(load)],
        ]
    }

    private static func core(_ state: WorkerState) -> JSONObject {
        let used = Int64(state.slotsHeld)
        let usage = state.slotsTotal == 0 ? 0 : Double(used) / Double(state.slotsTotal)
        let busy = state.maxRunning == 0 ? 0 : Double(state.running) / Double(state.maxRunning)
        return [
            "num_running_reqs": .int(Int64(state.running)), "num_waiting_reqs": .int(Int64(state.waiting)),
            "num_waiting_uncached_tokens": .int(Int64(state.waitingUncachedTokens)), "num_used_tokens": .int(used),
            "num_total_tokens": .int(used), "num_active_tokens": .int(used), "num_prealloc_ready_tokens": 0,
            "max_total_num_tokens": .int(Int64(state.slotsTotal)),
            "max_running_requests": .int(Int64(state.maxRunning)),
            "token_usage": .double(usage), "gen_throughput": .double(state.generationThroughput),
            "cache_hit_rate": .double(state.cacheHitRate), "utilization": .double(max(usage, busy)),
            "total_prefill_uncached_tokens": .int(Int64(state.counters.prefilledTokens)),
            "total_prefill_busy_us": .int(Int64(state.counters.prefillSeconds * 1e6)),
            "total_decoded_tokens": .int(Int64(state.counters.decodedTokens)),
        ]
    }

    private static func prometheus(_ core: JSONObject) -> String {
        core.map { name, value in
            "# TYPE sglang_\(name) gauge\nsglang_\(name){dp_rank=\"0\"} \(JSON.encodeToString(value))\n"
        }.joined()
    }
}
