import ChildRuntime
import HTTPFront
import Messages
import ServerSettings
import Testing

/// What /metrics shows.
@Suite struct MetricsTests {
    /// A server with metrics, and the samples of its page by name and labels.
    private func samples(
        _ settings: (inout FrontSettings) -> Void = { _ in }, after work: (LocalFront) async throws -> Void
    ) async throws -> [String: Double] {
        var served = FrontSettings.served()
        served.enableMetrics = true
        settings(&served)
        let server = LocalFront(served)
        try await work(server)
        let page = try await server.get("/metrics")
        #expect(page.status == 200 && page.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8")
        var samples: [String: Double] = [:]
        for line in page.body.split(separator: "\n") where !line.hasPrefix("#") {
            let parts = line.split(separator: " ")
            #expect(parts.count == 2 && samples[String(parts[0])] == nil, "\(line)")
            samples[String(parts[0])] = Double(parts[1])
        }
        return samples
    }

    private func generate(_ server: LocalFront, _ fields: String = "") async throws {
        let answer = try await server.post(
            "/generate", "{\"text\":\"hello\",\"sampling_params\":{\"max_new_tokens\":5}\(fields)}")
        #expect(answer.status == 200)
    }

    private let labels = #"{engine_type="unified",is_streaming="false",model_name="m"}"#

    @Test func thereIsNoPageUnlessItIsAskedFor() async throws {
        #expect(try await LocalFront().get("/metrics").status == 404)
    }

    @Test func finishedRequestsAreCountedWithTheirTokens() async throws {
        let found = try await samples({ $0.servedModelName = "m" }) { server in
            try await generate(server)
            try await generate(server)
            try await generate(server, #","stream":true"#)
        }
        let streaming = labels.replacing("false", with: "true")
        #expect(found["sglang:num_requests_total" + labels] == 2)
        #expect(found["sglang:num_requests_total" + streaming] == 1)
        #expect(found["sglang:generation_tokens_total" + labels] == 10)
        #expect(found["sglang:prompt_tokens_total" + labels] == 6)
        #expect(found["sglang:time_to_first_token_seconds_count" + labels] == 2)
        #expect(found["sglang:e2e_request_latency_seconds_count" + labels] == 2)
        let inf = labels.replacing(",model_name", with: #",le="+Inf",model_name"#)
        #expect(found["sglang:e2e_request_latency_seconds_bucket" + inf] == 2)
        #expect(found[#"sglang:http_responses_total{endpoint="/generate",method="POST",status_code="200"}"#] == nil)
    }

    @Test func answersThatHadToFitAGrammarAreCounted() async throws {
        let found = try await samples({ ($0.servedModelName, $0.grammarBackend) = ("m", .xgrammar) }) { server in
            try await generate(server)
            let answer = try await server.post(
                "/generate", #"{"text":"hello","sampling_params":{"max_new_tokens":5,"regex":"a*"}}"#)
            #expect(answer.status == 200)
        }
        #expect(found[#"sglang:num_so_requests_total{engine_type="unified",model_name="m"}"#] == 1)
    }

    @Test func prioritiesAreToldApartWhereTheyDecideTheOrder() async throws {
        func count(_ found: [String: Double], _ priority: String) -> Double? {
            let labels = #"{engine_type="unified",is_streaming="false",model_name="m",priority="\#(priority)"}"#
            return found["sglang:e2e_request_latency_seconds_count" + labels]
        }
        func work(_ server: LocalFront) async throws {
            for fields in [#","priority":1"#, #","priority":-5"#, #","priority":1"#, ""] {
                try await generate(server, fields)
            }
        }
        let found = try await samples(
            {
                $0.servedModelName = "m"; $0.enablePriorityScheduling = true
            }, after: work)
        #expect(count(found, "1") == 2 && count(found, "-5") == 1 && count(found, "") == 1)
        let streams = found.keys.filter { $0.contains("priority=\"1\"") && $0.contains("is_streaming=\"true\"") }
        #expect(streams.isEmpty, "no series of what there was not")
        let byDefault = try await samples(
            {
                $0.servedModelName = "m"; $0.enablePriorityScheduling = true; $0.defaultPriorityValue = 0
            }, after: work)
        #expect(count(byDefault, "0") == 1 && count(byDefault, "") == nil)
        let untold = try await samples({ $0.servedModelName = "m" }, after: work)
        #expect(untold["sglang:e2e_request_latency_seconds_count" + labels] == 4 && count(untold, "1") == nil)
    }

    @Test func onlySoManyPrioritiesAreToldApart() async throws {
        let found = try await samples({
            $0.servedModelName = "m"; $0.enablePriorityScheduling = true
        }) { server in
            for priority in 0..<70 { try await generate(server, ",\"priority\":\(priority)") }
        }
        let counts = found.filter { $0.key.hasPrefix("sglang:e2e_request_latency_seconds_count") && $0.value > 0 }
        #expect(counts.count == 64 && counts.values.reduce(0, +) == 70)
    }

    @Test func probesAndRequestsThatDoNotWantToBeCountedAreNot() async throws {
        let found = try await samples({ $0.servedModelName = "m" }) { server in
            try await generate(server, #","log_metrics":false"#)
            #expect(try await server.get("/health_generate").status == 200)
        }
        #expect(found["sglang:num_requests_total" + labels] == 0)
        #expect(found["sglang:time_to_first_token_seconds_count" + labels] == 0)
    }

    @Test func theWorkersNumbersAndTheProcessesAreThere() async throws {
        let found = try await samples({ $0.servedModelName = "m" }) { _ in }
        let rank = #"{engine_type="unified",model_name="m",moe_ep_rank="0",pp_rank="0",tp_rank="0"}"#
        #expect(found["sglang:max_total_num_tokens" + rank] == 100)
        #expect(found["sglang:token_usage" + rank] == 0.1)
        #expect(found[#"sglang_process_up{process="scheduler",rank="0"}"#] == 1)
        #expect(found[#"sglang_process_inflight_lost_total{outcome="poisonous"}"#] == 0)
    }

    @Test func boundsAndLabelsAreTheOperators() async throws {
        let found = try await samples({ settings in
            let line = [
                "--model-path", "m", "--bucket-time-to-first-token", "7", "0.5", "--extra-metric-labels",
                #"{"pod":"a\"b"}"#,
            ]
            guard
                case .settings(let parsed, _) = ServerSettings.parse(line, environment: [:], readFile: { _ in "" })
            else { return }
            settings.bucketTimeToFirstToken = parsed.bucketTimeToFirstToken
            settings.extraMetricLabels = parsed.extraMetricLabels
            settings.servedModelName = "m"
        }) { try await generate($0) }
        let bounds = found.keys.filter {
            $0.hasPrefix("sglang:time_to_first_token_seconds_bucket") && $0.contains("false")
        }
        #expect(bounds.count == 3)
        #expect(bounds.allSatisfy { $0.contains(#"pod="a\"b""#) })
        #expect(bounds.contains { $0.contains(#"le="0.5""#) } && bounds.contains { $0.contains(#"le="7.0""#) })
    }

    @Test func aHistogramCountsAValueAtABoundBelowIt() {
        var histogram = Histogram(bounds: [1, 2])
        for value in [0.5, 1, 1.5, 2, 3] { histogram.observe(value) }
        histogram.observe(10, times: 2)
        #expect(histogram.counts == [2, 2, 3])
        #expect(histogram.total == 7 && histogram.sum == 28)
    }
}
