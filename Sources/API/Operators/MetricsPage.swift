internal import APICore
internal import ChildRuntime
internal import Ledger
internal import Messages
internal import ServerSettings

/// The text of /metrics: SGLang's families under their names, and those of the processes under srt's own.
struct MetricsPage {
    let settings: FrontSettings
    let requests: RequestMetrics
    let http: HTTPMetrics.Counts
    /// The worker's last known numbers; nil: it has told none yet.
    let worker: WorkerState?
    let topology: Topology
    /// The model's facts, once known.
    let model: ModelFacts?

    /// The page.
    var text: String {
        let extra = settings.extraMetricLabels?.pairs.map { (name: $0.name, value: $0.value) } ?? []
        let common = extra + [("model_name", settings.servedModelName), ("engine_type", "unified")]
        var front = ExpositionText(common: common)
        writeRequests(&front)
        writeLengths(&front)
        var scheduler = ExpositionText(
            common: common + [("tp_rank", "0"), ("pp_rank", "0"), ("moe_ep_rank", "0")])
        if let worker {
            writeLoad(worker, &scheduler)
            writePool(worker, &scheduler)
            writeCounters(worker, &scheduler)
        }
        var server = ExpositionText(common: extra)
        writeHTTP(&server)
        writeProcesses(&server)
        return front.text + scheduler.text + server.text
    }

    // MARK: Requests

    /// What was counted of requests, by priority where priorities are told apart.
    private var shares: [(labels: ExpositionText.Labels, value: RequestMetrics.Share)] {
        let sorted = requests.shares.sorted { ($0.key ?? .min) < ($1.key ?? .min) }
        return sorted.map { priority, share in
            (requests.priorities == nil ? [] : [("priority", priority.map(String.init) ?? "")], share)
        }
    }

    /// The same by whether answers are streams. Of a priority only what there was is told, as SGLang does.
    private var halves: [(labels: ExpositionText.Labels, value: RequestMetrics.Half)] {
        shares.flatMap { labels, share in
            [("true", share.streaming), ("false", share.whole)].compactMap { flag, half in
                let isUnknown = half.requests == 0 && half.timeToFirstToken.total == 0
                if requests.priorities != nil, isUnknown { return nil }
                return ([("is_streaming", flag)] + labels, half)
            }
        }
    }

    private func writeRequests(_ page: inout ExpositionText) {
        func counters(_ name: String, _ help: String, _ value: (RequestMetrics.Half) -> UInt64) {
            page.family("sglang:\(name)", .counter, help, halves.map { ($0.labels, Double(value($0.value))) })
        }
        func histograms(_ name: String, _ help: String, _ value: (RequestMetrics.Half) -> Histogram) {
            page.histograms("sglang:\(name)", help, halves.map { ($0.labels, value($0.value)) })
        }
        counters("prompt_tokens_total", "Number of prefill tokens processed.", \.promptTokens)
        counters("generation_tokens_total", "Number of generation tokens processed.", \.generatedTokens)
        counters("num_requests_total", "Number of requests processed.", \.requests)
        page.family(
            "sglang:cached_tokens_total", .counter, "Number of cached prompt tokens.",
            shares.flatMap { labels, share in
                ["device", "total"].map { ([("cache_source", $0)] + labels, Double(share.cachedTokens)) }
            })
        page.family(
            "sglang:num_so_requests_total", .counter, "Number of structured output requests processed.",
            shares.map { ($0.labels, Double($0.value.structured)) })
        page.family(
            "sglang:num_aborted_requests_total", .counter, "Number of requests aborted.",
            shares.map { ($0.labels, Double($0.value.aborted)) })
        histograms("time_to_first_token_seconds", "Histogram of time to first token in seconds.", \.timeToFirstToken)
        page.histograms(
            "sglang:inter_token_latency_seconds", "Histogram of inter-token latency in seconds.",
            shares.map { ($0.labels, $0.value.interToken) })
        histograms(
            "request_time_per_output_token_seconds", "Histogram of seconds for each output token after the first.",
            \.timePerOutputToken)
        histograms("e2e_request_latency_seconds", "Histogram of End-to-end request latency in seconds", \.endToEnd)
    }

    private func writeLengths(_ page: inout ExpositionText) {
        page.histograms(
            "sglang:prompt_tokens_histogram", "Histogram of prompt token length.",
            shares.map { ($0.labels, $0.value.promptLengths) })
        page.histograms(
            "sglang:uncached_prompt_tokens_histogram", "Histogram of uncached prompt token length.",
            shares.map { ($0.labels, $0.value.uncachedLengths) })
        page.histograms(
            "sglang:generation_tokens_histogram", "Histogram of generation token length.",
            shares.map { ($0.labels, $0.value.outputLengths) })
        if let model {
            page.family(
                "sglang:startup_time_seconds", .gauge, "Seconds of the phases of start-up.",
                [([("phase", "load_weight")], model.loadSeconds)])
        }
    }

    // MARK: Scheduler

    private func writeLoad(_ worker: WorkerState, _ page: inout ExpositionText) {
        func gauge(_ name: String, _ help: String, _ value: Double) {
            page.family("sglang:\(name)", .gauge, help, value)
        }
        let busy = worker.maxRunning == 0 ? 0 : Double(worker.running) / Double(worker.maxRunning)
        gauge("num_running_reqs", "The number of running requests.", Double(worker.running))
        gauge("num_queue_reqs", "The number of requests in the waiting queue.", Double(worker.waiting))
        gauge(
            "num_grammar_queue_reqs", "The number of requests in the grammar waiting queue.",
            Double(worker.awaitingGrammars))
        gauge("num_paused_reqs", "The number of paused requests.", worker.paused > 0 ? Double(worker.running) : 0)
        gauge("gen_throughput", "The generation throughput (token/s).", worker.generationThroughput)
        gauge("cache_hit_rate", "The prefix cache hit rate.", worker.cacheHitRate)
        gauge("decode_sum_seq_lens", "The sum of all sequence lengths in decode.", Double(worker.runningTokens))
        gauge("utilization", "The utilization.", max(usage(worker), busy))
        gauge("new_token_ratio", "The new token ratio.", worker.newTokenRatio)
        gauge("spec_accept_length", "The average acceptance length of speculative decoding.", 0)
        gauge("spec_accept_rate", "The average acceptance rate of speculative decoding.", 0)
        let computing = worker.counters.prefillSeconds + worker.counters.decodeSeconds
        let known = computing + worker.counters.idleSeconds
        gauge(
            "fwd_occupancy", "Share of the time so far in which the model computed.", known > 0 ? computing / known : 0)
        gauge("is_cuda_graph", "Whether the batch is using CUDA graph.", 0)
    }

    private func writePool(_ worker: WorkerState, _ page: inout ExpositionText) {
        func gauge(_ name: String, _ help: String, _ value: Double) {
            page.family("sglang:\(name)", .gauge, help, value)
        }
        gauge("token_usage", "The token usage.", usage(worker))
        gauge("full_token_usage", "The token usage for full attention layers.", usage(worker))
        if worker.windowSlotsTotal > 0 { writeWindow(worker, &page) }
        gauge("num_used_tokens", "The number of used tokens.", Double(worker.slotsHeld))
        gauge("kv_used_tokens", "KV slots that requests hold.", Double(worker.slotsHeld))
        gauge("kv_available_tokens", "KV slots that nobody uses.", Double(worker.slotsFree))
        gauge("kv_evictable_tokens", "KV slots of cached prefixes that no request holds.", Double(worker.slotsCached))
        gauge("max_total_num_tokens", "The maximum total number of tokens in the KV pool.", Double(worker.slotsTotal))
        let pages = worker.slotsTotal / UInt64(max(1, worker.pageSize))
        gauge("page_size", "Tokens in a page of the KV pool.", Double(worker.pageSize))
        gauge("num_pages", "Pages of the KV pool.", Double(pages))
        page.family(
            "sglang:cache_config_info", .gauge, "How the KV pool is cut, as labels.",
            [([("page_size", "\(worker.pageSize)"), ("num_pages", "\(pages)")], 1)])
        if let model { gauge("context_len", "The longest sequence in tokens.", Double(model.contextLength)) }
        gauge("weight_memory_usage_gb", "The memory of the weights in GB.", gigabytes(worker.weightBytes))
        gauge("kv_cache_memory_usage_gb", "The memory of the KV pool in GB.", gigabytes(worker.kvBytes))
        page.family(
            "sglang:graph_memory_usage_gb", .gauge, "Memory used by captured device graphs in GB: there are none.",
            ServerInfoRoutes.graphPhases.map { ([("phase", $0)], 0) })
    }

    private func writeWindow(_ worker: WorkerState, _ page: inout ExpositionText) {
        func gauge(_ name: String, _ help: String, _ value: Double) {
            page.family("sglang:\(name)", .gauge, help, value)
        }
        let (total, held) = (worker.windowSlotsTotal, worker.windowSlotsHeld)
        let free = Double(total) - Double(held + worker.windowSlotsCached)
        gauge("swa_token_usage", "The token usage for layers with a sliding window.", Double(held) / Double(total))
        gauge("swa_used_tokens", "Slots that the windows of requests cover.", Double(held))
        gauge("swa_available_tokens", "Slots of these layers that nobody uses.", max(0, free))
        gauge(
            "swa_evictable_tokens", "Slots of these layers for cached prefixes.", Double(worker.windowSlotsCached))
        gauge("max_total_num_tokens_swa", "The maximum number of tokens that these layers keep.", Double(total))
    }

    private func usage(_ worker: WorkerState) -> Double {
        worker.slotsTotal == 0 ? 0 : Double(worker.slotsHeld) / Double(worker.slotsTotal)
    }

    private func writeCounters(_ worker: WorkerState, _ page: inout ExpositionText) {
        let counters = worker.counters
        func counter(_ name: String, _ help: String, _ samples: [(ExpositionText.Labels, Double)]) {
            page.family("sglang:\(name)", .counter, help, samples.map { (labels: $0.0, value: $0.1) })
        }
        counter("num_retracted_requests_total", "Number of retracted requests.", [([], Double(worker.retractions))])
        counter(
            "num_retracted_input_tokens_total", "Number of input tokens of retracted requests.",
            [([], Double(counters.retractedPromptTokens))])
        counter(
            "num_retracted_output_tokens_total", "Number of output tokens of retracted requests.",
            [([], Double(counters.retractedOutputTokens))])
        counter(
            "realtime_tokens_total", "Tokens as they are processed, by what was done with them.",
            [
                ([("mode", "prefill_compute")], Double(counters.prefilledTokens)),
                ([("mode", "prefill_cache")], Double(counters.cachedTokens)),
                ([("mode", "decode")], Double(counters.decodedTokens)),
            ])
        counter(
            "prefill_effective_tokens_total", "Prompt tokens by where they came from.",
            [
                ([("mode", "input")], Double(counters.prefilledTokens)),
                ([("mode", "device_hit")], Double(counters.cachedTokens)), ([("mode", "host_hit")], 0),
                ([("mode", "storage_hit")], 0),
            ])
        counter(
            "forward_execution_seconds_total", "Seconds in the model, by kind of step.",
            [([("category", "extend")], counters.prefillSeconds), ([("category", "decode")], counters.decodeSeconds)])
        counter(
            "scheduler_idle_seconds_total", "Seconds without anything to compute.", [([], counters.idleSeconds)])
        let scheduler = topology.processes.filter { $0.role == .scheduler && $0.rank == 0 }
        counter(
            "scheduler_process_cpu_seconds_total", "Seconds of processor time of the model worker.",
            scheduler.map { ([], $0.heartbeat.cpuSeconds) })
        counter(
            "evicted_tokens_total", "Cached tokens that made room for others.", [([], Double(counters.evictedTokens))])
        if let queue = Histogram(
            bounds: MetricBuckets.queueTime, counts: counters.queueTimeCounts, sum: counters.queueTimeSum)
        {
            page.histograms("sglang:queue_time_seconds", "Histogram of queueing time in seconds.", [([], queue)])
        }
        writeGrammars(counters.grammars, &page)
    }

    private func writeGrammars(_ grammars: GrammarCounters, _ page: inout ExpositionText) {
        func counter(_ name: String, _ help: String, _ value: UInt64) {
            page.family("sglang:\(name)", .counter, help, Double(value))
        }
        counter("num_grammar_total", "Number of requests that asked for a grammar.", grammars.requests)
        counter(
            "num_grammar_cache_hit_total", "Number of them for which it was compiled already.", grammars.hits)
        counter("num_grammar_aborted_total", "Number of grammars that could not be had.", grammars.refused)
        counter(
            "num_grammar_timeout_total", "Number of grammars that asked for more than the limits.",
            grammars.beyondLimits)
        if let time = Histogram(
            bounds: MetricBuckets.grammarCompilation, counts: grammars.compileTimeCounts,
            sum: grammars.compileTimeSum)
        {
            page.histograms(
                "sglang:grammar_compilation_time_seconds", "Histogram of grammar compilation time in seconds.",
                [([], time)])
        }
    }

    // MARK: Server

    private func writeHTTP(_ page: inout ExpositionText) {
        func labels(_ endpoint: HTTPMetrics.Endpoint) -> ExpositionText.Labels {
            [("endpoint", endpoint.path), ("method", endpoint.method)]
        }
        let endpoints = http.requests.keys.sorted { ($0.path, $0.method) < ($1.path, $1.method) }
        page.family(
            "sglang:http_requests_total", .counter, "Number of HTTP requests by endpoint and method.",
            endpoints.map { (labels($0), Double(http.requests[$0] ?? 0)) })
        page.family(
            "sglang:http_responses_total", .counter, "Number of HTTP responses by endpoint, status code and method.",
            endpoints.flatMap { endpoint in
                (http.responses[endpoint] ?? [:]).sorted { $0.key < $1.key }.map { status, count in
                    (labels(endpoint) + [("status_code", "\(status)")], Double(count))
                }
            })
        page.family(
            "sglang:http_requests_active", .gauge, "Number of HTTP requests that are being answered.",
            endpoints.map { (labels($0), Double(http.active[$0] ?? 0)) })
        page.family(
            "sglang:routing_keys_active", .gauge, "Number of routing keys of HTTP requests that are being answered.",
            [([], Double(http.routingKeys.count))])
    }

    private func writeProcesses(_ page: inout ExpositionText) {
        let processes = topology.processes
        func samples(_ value: (Messages.ProcessInfo) -> Double) -> [(labels: ExpositionText.Labels, value: Double)] {
            processes.map { ([("process", $0.role.word), ("rank", "\($0.rank)")], value($0)) }
        }
        page.family(
            "sglang_process_up", .gauge, "1 while the process is ready.", samples { $0.state == .ready ? 1 : 0 })
        page.family(
            "sglang_process_state", .gauge, "1 for the state the process is in.",
            processes.map {
                ([("process", $0.role.word), ("rank", "\($0.rank)"), ("state", $0.state.word)], 1)
            })
        page.family(
            "sglang_process_restarts_total", .counter, "Times the process was replaced.",
            samples { Double($0.restarts) })
        page.family(
            "sglang_process_heartbeat_age_seconds", .gauge, "Time since the process last told how it is.",
            samples(\.heartbeatAge))
        page.family(
            "sglang_process_resident_bytes", .gauge, "Resident memory of the process.",
            samples { Double($0.heartbeat.residentBytes) })
        page.family(
            "sglang_process_inflight_replayed_total", .counter,
            "Submissions again of requests whose process died or was replaced.", Double(requests.replayed))
        page.family(
            "sglang_process_inflight_lost_total", .counter, "Requests given up because processes died, by reason.",
            RequestMetrics.Loss.allCases.map { ([("outcome", $0.rawValue)], Double(requests.lost[$0] ?? 0)) })
        page.family(
            "sglang:process_cpu_seconds_total", .counter, "Seconds of processor time since the process began.",
            processes.filter { $0.role != .launcher }.map {
                let rank = $0.role == .scheduler && settings.tensorParallelSize > 1 ? "_TP\($0.rank)" : ""
                return ([("component", $0.role.word + rank)], $0.heartbeat.cpuSeconds)
            })
    }
}
