import HTTPFront
import JSON
import Messages
import PipeStages
import ServerSettings
import Testing

/// Every endpoint but /generate, without sockets.
@Suite struct RouteTests {
    @Test func unknownPathsAndMethodsHaveTheirBodies() async throws {
        let server = LocalFront()
        let unknown = try await server.get("/nope")
        #expect(unknown.status == 404 && unknown.body == #"{"detail":"Not Found"}"#)
        let wrong = try await server.get("/generate")
        #expect(wrong.status == 405 && wrong.body == #"{"detail":"Method Not Allowed"}"#)
        #expect(wrong.headers["allow"] == "POST, PUT")
    }

    @Test func oldModelInfoHasFourKeys() async throws {
        let body = try JSON.parse(try await LocalFront().get("/get_model_info").body)
        #expect(
            body.objectValue?.keys == ["model_path", "tokenizer_path", "is_generation", "preferred_sampling_params"])
    }

    @Test(arguments: ["/model_info", "/v1/models/m", "/v1/models/zzz", "/"]) func answersAsRecorded(path: String)
        async throws
    {
        let recorded = try #require(RecordingTests.all.first { $0.path == path })
        let answer = try await LocalFront().get(path)
        #expect(answer.status == recorded.status)
        let (a, b) = (try JSON.parse(recorded.body), try JSON.parse(answer.body))
        #expect(a.objectValue?.keys == b.objectValue?.keys)
        for (key, value) in a.objectValue ?? [:] where key != "created" { #expect(b[key] == value, "\(key)") }
    }

    @Test func modelsAreListedBeforeTheModelIsLoaded() async throws {
        let answer = try await LocalFront(ready: false).get("/v1/models", headers: [("Authorization", "Bearer None")])
        #expect(answer.status == 200)
        #expect(try JSON.parse(answer.body)["data"]?[0]?["id"] == "m")
    }

    @Test func healthFollowsTheTable() async throws {
        let server = LocalFront(ready: false)
        for path in ["/health", "/health_generate", "/ready", "/ping"] {
            #expect(try await server.get(path).status == 503)
        }
        server.front.handle(.ready())
        for path in ["/health", "/health_generate", "/ready", "/ping"] {
            let answer = try await server.get(path)
            #expect(answer.status == 200 && answer.body.isEmpty)
        }
        #expect(server.front.openRequests == 0)
        server.front.handle(.withoutWorker(generation: 2))
        #expect(try await server.get("/health").status == 503)
    }

    @Test func pauseIsSeenByReadyAlone() async throws {
        let server = LocalFront()
        let paused = try await server.post("/pause_generation", #"{"mode":"in_place"}"#)
        #expect(paused.body == #"{"message":"Generation paused successfully.","status":"ok"}"#)
        #expect(try await server.get("/ready").status == 503)
        #expect(try await server.get("/ping").status == 200)
        #expect(
            try await server.post("/continue_generation", "{}").body
                == #"{"message":"Generation continued successfully.","status":"ok"}"#)
        #expect(try await server.get("/ready").status == 200)
        #expect(try await server.post("/pause_generation", #"{"mode":"x"}"#).status == 400)
    }

    @Test(arguments: ["POST", "GET"]) func flushesTheCache(method: String) async throws {
        let server = LocalFront()
        let answer = try await server.front.answer(method, "/flush_cache")
        #expect(answer.status == 200 && answer.body.hasPrefix("Cache flushed.\nPlease check backend logs"))
        #expect(try await server.front.answer(method, "/flush_cache?timeout=-1").status == 400)
        #expect(try await server.front.answer(method, "/flush_cache?timeout=x").status == 400)
    }

    @Test func abortEndsRequestsByPrefix() async throws {
        let server = LocalFront()
        async let answer = server.post("/generate", #"{"text":["hold","hold"],"rid":"job"}"#)
        while server.commands.count < 3 { await Task.yield() }
        #expect(try await server.post("/abort_request", #"{"rid":"nope"}"#).status == 200)
        #expect(try await server.post("/abort_request", "{}").status == 200)
        #expect(server.front.openRequests == 2)
        #expect(try await server.post("/abort_request", #"{"rid":"job"}"#).body == "")
        let body = try JSON.parse(try await answer.body)
        for row in 0..<2 {
            #expect(
                body[row]?["meta_info"]?["finish_reason"] == [
                    "type": "abort", "message": "Aborted", "status_code": .null, "err_type": .null,
                ])
        }
        #expect(server.front.openRequests == 0)
    }

    @Test func bodiesInACodingAreNotTakenForJSON() async throws {
        let server = LocalFront()
        let body = #"{"text":"a"}"#
        for coding in ["gzip", "deflate, gzip", "br"] {
            let answer = try await server.post("/generate", body, headers: [("Content-Encoding", coding)])
            #expect(answer.status == 415 && answer.body.contains(coding))
        }
        #expect(try await server.post("/generate", body, headers: [("Content-Encoding", "identity")]).status == 200)
    }

    @Test func percentSignsStandForBytesOnlyBeforeTwoDigits() async throws {
        let names = [("%6d", "m"), ("%2", "%2"), ("%+5", "%+5"), ("%g1", "%g1"), ("%4%31", "%41")]
        for (path, name) in names {
            let answer = try await LocalFront().get("/v1/models/\(path)")
            #expect(answer.status == (name == "m" ? 200 : 404))
            if name != "m" { #expect(answer.body.contains("'\(name)'")) }
        }
    }

    @Test func refusalsOfStagesHaveStatusOrFrame() async throws {
        let server = LocalFront()
        #expect(try await server.post("/generate", #"{"text":"refuse"}"#).body == #"{"error":{"message":"refused"}}"#)
        let stream = try await server.post("/generate", #"{"text":"refuse","stream":true}"#)
        #expect(
            stream.body.hasPrefix(#"data: {"error":{"message":"refused","type":"invalid_request_error","code":400,"#))
        let worker = try await server.post("/generate", #"{"text":"refuse worker","stream":true}"#)
        #expect(
            worker.body.contains(
                #""finish_reason":{"type":"abort","message":"refused","status_code":400,"err_type":null}"#))
        #expect(worker.body.hasSuffix("data: [DONE]\n\n"))
    }

    @Test func batchesAndSamplesAreLists() async throws {
        let server = LocalFront()
        let one = try JSON.parse(try await server.post("/generate", #"{"text":["ab"]}"#).body)
        #expect(one.arrayValue?.count == 1)
        let both = try JSON.parse(
            try await server.post(
                "/generate", #"{"text":["ab","cd"],"rid":"r","sampling_params":{"n":2,"sampling_seed":5}}"#
            ).body)
        #expect(both.arrayValue?.map { $0["text"] } == ["ab", "ab", "cd", "cd"])
        #expect(Set(both.arrayValue!.map { $0["meta_info"]!["id"]!.stringValue! }).count == 4)
        let seeds = server.commands.compactMap {
            if case .generate(let request)? = $0.command { request.sampling.seed } else { nil }
        }
        #expect(seeds.suffix(4).first == 5 && Set(seeds.suffix(4)).count == 2)
        #expect(try await server.post("/generate", #"{"text":[]}"#).body == "[]")
    }

    @Test func incrementalStreamsSendWhatIsNew() async throws {
        var settings = FrontSettings.served()
        settings.incrementalStreamingOutput = true
        let answer = try await LocalFront(settings).post("/generate", #"{"text":"abc","stream":true}"#)
        let frames = answer.body.split(separator: "\n").dropLast().map { try! JSON.parse(String($0.dropFirst(6))) }
        #expect(frames.map { $0["text"] } == ["a", "b", "c"])
        #expect(frames.map { $0["output_ids"] } == [[97], [98], [99]])
        #expect(frames.map { $0["meta_info"]!["completion_tokens"] } == [1, 2, 3])
    }

    @Test func sessionsKeepTheHistory() async throws {
        let server = LocalFront()
        #expect(
            try await server.post("/open_session", #"{"capacity_of_str_len":1000,"session_id":"s1"}"#).body == "\"s1\"")
        let again = try await server.post("/open_session", #"{"capacity_of_str_len":1000,"session_id":"s1"}"#)
        #expect(
            again.body
                == #"{"error":{"message":"Failed to open the session. Check if a session with the same id is still open."}}"#
        )
        _ = try await server.post("/generate", #"{"text":"ab","rid":"t1","session_params":{"id":"s1"}}"#)
        _ = try await server.post("/generate", #"{"text":"cd","rid":"t2","session_params":{"id":"s1","rid":"t1"}}"#)
        let generates = server.commands.compactMap {
            if case .generate(let request)? = $0.command { request } else { nil }
        }
        #expect(generates[0].history.isEmpty && !generates[0].plainText && generates[0].wantsPromptIds)
        // Prompt and output of the first turn.
        #expect(generates[1].history == [97, 98, 97, 98] && generates[1].plainText)
        #expect(try await server.post("/close_session", #"{"session_id":"s1"}"#).status == 200)
        #expect(try await server.post("/generate", #"{"text":"cd","session_params":{"id":"s1"}}"#).status == 400)
        #expect(try await server.post("/close_session", #"{"session_id":"nope"}"#).status == 200)
    }

    @Test func tokenizesBothWays() async throws {
        let server = LocalFront()
        #expect(
            try await server.post("/tokenize", #"{"prompt":"ab"}"#).body
                == #"{"tokens":[97,98],"count":2,"max_model_len":2048}"#)
        #expect(
            try await server.post("/v1/tokenize", #"{"prompt":["ab","c"]}"#).body
                == #"{"tokens":[[97,98],[99]],"count":[2,1],"max_model_len":2048}"#)
        #expect(try await server.post("/detokenize", #"{"tokens":[97,98]}"#).body == #"{"text":"ab"}"#)
        #expect(try await server.post("/v1/detokenize", #"{"tokens":[[97],[98]]}"#).body == #"{"text":["a","b"]}"#)
        for body in ["{}", #"{"prompt":"a","messages":[]}"#, #"{"tokens":"x"}"#] {
            #expect(try await server.post("/tokenize", body).status == 400)
            #expect(try await server.post("/detokenize", body).status == 400)
        }
        let plain = try await server.post("/tokenize", #"{"prompt":"ab"}"#, headers: [("Content-Type", "text/plain")])
        #expect(
            plain.status == 400 && plain.body.contains("Unsupported Media Type: Only 'application/json' is allowed"))
    }

    @Test func weightsAndVersions() async throws {
        let server = LocalFront()
        #expect(
            try await server.post("/get_weights_by_name", #"{"name":"model.norm.weight"}"#).body
                == "[[1.5,2.5],[3.5,4.5]]")
        #expect(
            try await server.post("/get_weights_by_name", #"{"name":"nope"}"#).body
                == #"{"error":{"message":"Get parameter by name failed"}}"#)
        let version = try await server.post("/update_weight_version", #"{"new_version":"v2"}"#)
        #expect(version.body == #"{"success":true,"message":"Weight version updated to v2","new_version":"v2"}"#)
        #expect(try JSON.parse(try await server.get("/model_info").body)["weight_version"] == "v2")
        #expect(try await server.post("/generate", #"{"text":"a"}"#).body.contains(#""weight_version":"v2""#))
        #expect(try await server.post("/update_weight_version", "{}").status == 400)
    }

    @Test func serverInfoMergesSettingsAndState() async throws {
        var settings = FrontSettings.served()
        settings.apiKey = "secret"
        let answer = try await LocalFront(settings).get("/server_info", headers: [("Authorization", "Bearer secret")])
        let body = try JSON.parse(answer.body)
        #expect(body["model_path"] == "SmolLM2-135M-Instruct" && body["max_total_num_tokens"] == 16384)
        #expect(body["internal_states"]?[0]?["memory_usage"]?["token_capacity"] == 100)
        #expect(body["internal_states"]?[0]?["memory_usage"]?["graph"]?["decode"] == 0.0)
        #expect(body["startup_time"]?["cuda_graph"]?["prefill"] == 0.0)
        #expect(!answer.body.contains("secret"))
    }

    @Test func loadsInBothForms() async throws {
        let server = LocalFront()
        let load = try JSON.parse(try await server.get("/v1/loads").body)["loads"]?[0]
        #expect(load?["num_used_tokens"] == 10 && load?["token_usage"] == 0.1 && load?["queues"] != nil)
        let core = try JSON.parse(try await server.get("/v1/loads?include=core").body)["loads"]?[0]
        #expect(core?["queues"] == nil)
        let text = try await server.get("/v1/loads?format=prometheus").body
        #expect(text.contains("# TYPE sglang_num_running_reqs gauge\nsglang_num_running_reqs{dp_rank=\"0\"} 0\n"))
        for query in ["dp_rank=x", "dp_rank=1", "include=y", "format=z"] {
            #expect(try await server.get("/v1/loads?\(query)").status == 400)
        }
    }

    @Test func missingFeaturesSaySo() async throws {
        let server = LocalFront()
        for path in ["/v1/audio/transcriptions"] {
            let answer = try await server.post(path, "{}")
            #expect(answer.status == 400 && answer.body.contains(path))
        }
        #expect(try await server.post("/load_lora_adapter", "{}").body.contains("LoRA is not enabled."))
        #expect(try await server.post("/resume_memory_occupation", "{}").status == 400)
        #expect(try await server.post("/start_expert_distribution_record", "").status == 400)
        let wrong = try await server.post("/update_weights_from_disk", #"{"model_path":"qwen/wrong"}"#)
        #expect(
            wrong.status == 400
                && wrong.body
                    == #"{"success":false,"message":"Failed to get weights iterator: qwen/wrong (repository not found).","num_paused_requests":0}"#
        )
        #expect(try await server.post("/slow_down", "{}").status == 400)
        #expect(try await server.post("/set_internal_state", #"{"server_args":{}}"#).body == "[true]")
        #expect(try await server.post("/set_internal_state", #"{"server_args":{"foo":1}}"#).body == "[false]")
        #expect(try await server.post("/freeze_gc", "").body == "Garbage collection frozen.\n")
        #expect(
            try await server.post("/configure_logging", #"{"log_requests":true,"log_requests_level":0}"#).status == 200)
    }

    @Test func drainingRefusesAtOnce() async throws {
        let server = LocalFront()
        server.front.handle(.make { $0.draining = true })
        let answer = try await server.post("/generate", #"{"text":"a","stream":true}"#)
        #expect(answer.status == 503 && answer.headers["retry-after"] != nil)
        #expect(try await server.get("/health").status == 503)
    }

    @Test func browsersMayAskFromAnywhere() async throws {
        let server = LocalFront()
        let preflight = try await server.front.answer(
            "OPTIONS", "/generate", headers: [("Origin", "http://a"), ("Access-Control-Request-Method", "POST")])
        #expect(preflight.status == 200 && preflight.headers["access-control-allow-origin"] == "http://a")
        let plain = try await server.get("/health", headers: [("Origin", "http://a")])
        #expect(plain.headers["access-control-allow-origin"] == "*")
    }
}

/// Keys of clients and operators.
@Suite struct AuthenticationTests {
    /// Keys that are set, the token that is sent, and whether an ordinary and an operator's route open.
    @Test(
        arguments: [
            (nil, nil, nil, true, true), ("k", nil, nil, false, false), ("k", nil, "k", true, true),
            ("k", nil, "x", false, false),
            (nil, "a", nil, true, false), (nil, "a", "a", true, true), ("k", "a", "k", true, false),
            ("k", "a", "a", false, true),
        ] as [(String?, String?, String?, Bool, Bool)])
    func opensByLevel(key: String?, admin: String?, token: String?, normal: Bool, operators: Bool) async throws {
        var settings = FrontSettings.served()
        (settings.apiKey, settings.adminAPIKey) = (key, admin)
        let server = LocalFront(settings)
        let headers = token.map { [("Authorization", "bearer \($0)")] } ?? []
        let ordinary = try await server.get("/v1/models", headers: headers)
        #expect(ordinary.status == (normal ? 200 : 401))
        if !normal { #expect(ordinary.body == #"{"error":"Unauthorized"}"#) }
        #expect(try await server.get("/freeze_gc", headers: headers).status == (operators ? 200 : 401))
        #expect(try await server.get("/health").status == 200)
        #expect(try await server.front.answer("OPTIONS", "/v1/models").status == 405)
    }

    @Test(arguments: ["/freeze_gc/", "//freeze_gc", "/freeze_gc//", "/hicache/clear/"])
    func anOperatorsRouteNeedsItsKeyHoweverItsPathIsSpelled(path: String) async throws {
        var settings = FrontSettings.served()
        settings.adminAPIKey = "a"
        #expect(try await LocalFront(settings).get(path).status == 401)
        let answer = try await LocalFront(settings).get(path, headers: [("Authorization", "Bearer a")])
        #expect(answer.status == (path.contains("hicache") ? 400 : 200))
    }
}

/// /generate in Vertex AI's manner.
@Suite struct PredictionTests {
    @Test func instancesBecomePromptsAndAnswersPredictions() async throws {
        let answer = try await LocalFront().post(
            "/vertex_generate",
            #"{"instances":[{"text":"abc"},{"text":"de"}],"parameters":{"sampling_params":{"max_new_tokens":2}}}"#)
        let predictions = try JSON.parse(answer.body)["predictions"]
        #expect(predictions?[0]?["text"] == "ab" && predictions?[1]?["text"] == "de")
        #expect(predictions?.arrayValue?.count == 2)
    }

    @Test(arguments: [
        "{}", #"{"instances":5}"#, #"{"instances":[5]}"#, #"{"instances":[{}]}"#, #"{"instances":{"text":"a"}}"#,
    ])
    func aBodyWithoutPromptsIsRefused(body: String) async throws {
        #expect(try await LocalFront().post("/vertex_generate", body).status == 400)
    }

    @Test func anOperatorChoosesThePath() async throws {
        var settings = FrontSettings.served()
        settings.predictionPath = "/predict"
        let server = LocalFront(settings)
        #expect(try await server.post("/predict", #"{"instances":[]}"#).body == "[]")
        #expect(try await server.post("/vertex_generate", "{}").status == 404)
        #expect(try JSON.parse(try await server.get("/openapi.json").body)["paths"]?["/predict"] != nil)
    }

    @Test func olderGatewaysSeeTheLoad() async throws {
        let answer = try await LocalFront().get("/get_load")
        #expect(answer.status == 200)
        #expect(
            try JSON.parse(answer.body)
                == [["dp_rank": 0, "num_reqs": 0, "num_waiting_reqs": 0, "num_tokens": 10]])
    }
}
