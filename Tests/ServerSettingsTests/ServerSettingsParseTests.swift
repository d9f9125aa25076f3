import Foundation
import JSON
import ServerSettings
import Testing
import Values

@Suite struct ServerSettingsParseTests {
    @Test func fillsDefaultsFromTheModelPath() throws {
        let settings = try #require(CommandLine("--model-path models/m").settings)
        var expected = ServerSettings()
        expected.modelPath = "models/m"
        expected.tokenizerPath = "models/m"
        expected.servedModelName = "models/m"
        expected.randomSeed = 4711
        expected.launchCommand = "--model-path models/m"
        #expect(settings == expected)
        #expect(settings.port == 30000)
        #expect(settings.host == "127.0.0.1")
        #expect(settings.chunkedPrefillSize == 512)
        #expect(FrontSettings(settings).effectiveLogLevelHTTP == .info)
    }

    /// A flag, and what it must have changed.
    struct Case: Sendable, CustomTestStringConvertible {
        let line: String
        let holds: @Sendable (ServerSettings) -> Bool
        var testDescription: String { line }

        init(_ line: String, _ holds: @escaping @Sendable (ServerSettings) -> Bool) {
            self.line = line
            self.holds = holds
        }
    }

    static let honoured: [Case] = [
        Case("--model x") { $0.modelPath == "x" },
        Case("--tokenizer-path t") { $0.tokenizerPath == "t" && $0.modelPath == "m" },
        Case("--load-format gguf") { $0.loadFormat == .gguf },
        Case("--load-format dummy") { $0.loadFormat == .dummy },
        Case("--dtype half") { $0.dtype == .float16 },
        Case("--dtype float16") { $0.dtype == .float16 },
        Case("--dtype float") { $0.dtype == .float32 },
        Case("--dtype bfloat16") { $0.dtype == .bfloat16 },
        Case("--json-model-override-args {\"a\":1}") { $0.jsonModelOverrideArgs == "{\"a\":1}" },
        Case("--host 0.0.0.0") { $0.host == "0.0.0.0" },
        Case("--host ::1") { $0.host == "::1" },
        Case("--host=") { $0.host == "" },
        Case("--strict-weights") { $0.strictWeights },
        Case("--target-itl-ms 30") { $0.targetInterTokenMilliseconds == 30 },
        Case("--keep-alive-timeout 75") { $0.keepAliveTimeout == 75 },
        Case("--port 0") { $0.port == 0 },
        Case("--port=65535") { $0.port == 65535 },
        Case("--served-model-name n") { $0.servedModelName == "n" && $0.modelPath == "m" },
        Case("--weight-version v2") { $0.weightVersion == "v2" },
        Case("--api-key k --admin-api-key a") { $0.apiKey == "k" && $0.adminAPIKey == "a" },
        Case("--skip-tokenizer-init") { $0.skipTokenizerInit },
        Case("--skip-server-warmup") { $0.skipServerWarmup },
        Case("--sampling-defaults openai") { $0.samplingDefaults == .openai },
        Case("--preferred-sampling-params {\"top_k\":1}") { $0.preferredSamplingParams == "{\"top_k\":1}" },
        Case("--stream-interval 8") { $0.streamInterval == 8 },
        Case("--incremental-streaming-output") { $0.incrementalStreamingOutput },
        Case("--enable-cache-report") { $0.enableCacheReport },
        Case("--enable-response-store") { $0.enableResponseStore && $0.responseStoreCount == 1024 },
        Case("--response-store-count 3 --response-store-bytes 1Mi --response-store-age 60") {
            $0.responseStoreCount == 3 && $0.responseStoreBytes == 1 << 20 && $0.responseStoreAge == 60
        },
        Case("--allow-auto-truncate") { $0.allowAutoTruncate },
        Case("--tp-size 1") { $0.tensorParallelSize == 1 },
        Case("--tp-size 2") { $0.tensorParallelSize == 2 },
        Case("--tp 32") { $0.tensorParallelSize == 32 },
        Case("--tensor-parallel-size 3") { $0.tensorParallelSize == 3 },
        Case("--tp 2 --cpu-bind 0-2|4,6-7") { $0.cpuBind?.ranks == [[0, 1, 2], [4, 6, 7]] },
        Case("--cpu-bind 5") { $0.cpuBind?.ranks == [[5]] && $0.cpuBind?.text == "5" },
        Case("--quantization w8a8_int8") { $0.quantization == .w8a8Int8 },
        Case("--quantization int4 --int4-group-size 128 --int4-head-bits 4") {
            $0.quantization == .int4 && $0.int4GroupSize == 128 && $0.int4HeadBits == 4
        },
        Case("--kv-cache-dtype auto") { $0.kvCacheDType == .auto },
        Case("--kv-cache-dtype bf16") { $0.kvCacheDType == .bfloat16 },
        Case("--kv-cache-dtype bfloat16") { $0.kvCacheDType == .bfloat16 },
        Case("--kv-cache-dtype int8") { $0.kvCacheDType == .int8 },
        Case("--mem-fraction-static 0.5") { $0.memFractionStatic == 0.5 },
        Case("--mem-fraction-static 1") { $0.memFractionStatic == 1 },
        Case("--max-running-requests 16") { $0.maxRunningRequests == 16 },
        Case("--max-queued-requests 0") { $0.maxQueuedRequests == 0 },
        Case("--max-prefill-tokens 1k") { $0.maxPrefillTokens == 1000 },
        Case("--prefill-max-requests 3") { $0.prefillMaxRequests == 3 },
        Case("--chunked-prefill-size 7") { $0.chunkedPrefillSize == 7 },
        Case("--chunked-prefill-size -1") { $0.chunkedPrefillSize == nil },
        Case("--chunked-prefill-size=-1") { $0.chunkedPrefillSize == nil },
        Case("--schedule-policy lpm") { $0.schedulePolicy == .lpm },
        Case("--schedule-conservativeness .3") { $0.scheduleConservativeness == 0.3 },
        Case("--disable-radix-cache") { $0.disableRadixCache },
        Case("--schedule-policy dfs-weight") { $0.schedulePolicy == .dfsWeight },
        Case("--schedule-policy hrrn") { $0.schedulePolicy == .hrrn },
        Case("--schedule-policy shortest-prefill-first") { $0.schedulePolicy == .shortestPrefillFirst },
        Case("--schedule-policy routing-key") { $0.schedulePolicy == .routingKey },
        Case("--schedule-policy random") { $0.schedulePolicy == .random },
        Case("--schedule-policy lof --enable-priority-scheduling") {
            $0.schedulePolicy == .lof && $0.enablePriorityScheduling && !$0.scheduleLowPriorityValuesFirst
                && $0.priorityPreemptionThreshold == 10 && !$0.disablePriorityPreemption
                && $0.defaultPriorityValue == nil
        },
        Case("--enable-priority-scheduling --schedule-low-priority-values-first --default-priority-value -3") {
            $0.scheduleLowPriorityValuesFirst && $0.defaultPriorityValue == -3
        },
        Case(
            "--enable-priority-scheduling --priority-scheduling-preemption-threshold 0 --retraction-policy priority"
        ) {
            $0.priorityPreemptionThreshold == 0 && $0.retractionPolicy == .priority
        },
        Case("--enable-priority-scheduling --disable-priority-preemption") { $0.disablePriorityPreemption },
        Case("--abort-on-priority-when-disabled") { $0.abortOnPriorityWhenDisabled },
        Case("--page-size 1") { $0.pageSize == 1 },
        Case("--page-size 16") { $0.pageSize == 16 },
        Case("--page-size 300 --chunked-prefill-size -1") { $0.pageSize == 300 },
        Case("--random-seed 7") { $0.randomSeed == 7 },
        Case("--watchdog-timeout 1e3") { $0.watchdogTimeout == 1000 },
        Case("--log-level debug") { $0.logLevel == .debug && FrontSettings($0).effectiveLogLevelHTTP == .debug },
        Case("--log-level-http error") { $0.logLevel == .info && FrontSettings($0).effectiveLogLevelHTTP == .error },
        Case("--decode-log-interval 1_000") { $0.decodeLogInterval == 1000 },
        Case("--grammar-backend none") { $0.grammarBackend == .none },
        Case("--grammar-backend llguidance") { $0.grammarBackend == .llguidance },
        Case("--constrained-json-disable-any-whitespace") { $0.disableAnyWhitespace },
        Case("--constrained-json-whitespace-pattern [\\t]?") { $0.whitespacePattern == "[\\t]?" },
        Case("--constrained-json-max-whitespace-cnt 3") { $0.maxWhitespaceCount == 3 },
        Case("--disable-jump-forward") { $0.disableJumpForward },
        Case("--cpu-threads-per-rank 2") { $0.cpuThreadsPerRank == 2 },
        Case("--kernel-isa avx512bf16") { $0.kernelISA == .avx512bf16 },
        Case("--run-dir /run/srt") { $0.runDirectory == "/run/srt" },
        Case("--weight-cache-dir /var/cache") { $0.weightCacheDirectory == "/var/cache" },
        Case("--max-body-size 1Mi") { $0.maxBodySize == 1 << 20 },
        Case("--max-connections 5") { $0.maxConnections == 5 },
        Case("--on-child-failure exit") { $0.onChildFailure == .exit },
        Case("--max-restarts 0") { $0.maxRestarts == 0 },
        Case("--drain-timeout 2.5") { $0.drainTimeout == 2.5 },
    ]

    @Test(arguments: honoured)
    func storesWhatAFlagSays(_ test: Case) throws {
        let line = CommandLine("--model-path m " + test.line)
        let settings = try #require(line.settings, "\(line.outcome)")
        #expect(test.holds(settings))
        #expect(line.warnings == [])
    }

    @Test(arguments: [
        ("4096", 4096), ("25.6k", 25600), ("1M", 1_000_000), ("0.5G", 500_000_000), ("4Ki", 4096), ("1Mi", 1 << 20),
        ("1Gi", 1 << 30), (" 12 ", 12), ("+8", 8), ("1_0", 10), ("2e1k", 20000),
    ])
    func readsCountsWithSuffixes(_ word: String, _ value: Int) {
        #expect(CommandLine(words: ["--model", "m", "--context-length", word]).settings?.contextLength == value)
        #expect(CommandLine(words: ["--model", "m", "--max-total-tokens=" + word]).settings?.maxTotalTokens == value)
    }

    @Test(arguments: [
        "4KI", "4ki", "1.5Ki", "k", "", "1m", "1kk", "4 Ti k", "9999999T", "1__0", "_1", "1_", "0x10", "1e3",
    ])
    func refusesMalformedCounts(_ word: String) throws {
        let failure = try #require(CommandLine(words: ["--model", "m", "--context-length=" + word]).failure)
        #expect(failure.contains("error: argument --context-length: invalid int value: '\(word)'"))
    }

    @Test(arguments: [
        ("--tokenizer-pa t", "t"), ("--tokenizer-path=t=u", "t=u"), ("--tokenizer-path -", "-"),
    ])
    func takesUniquePrefixes(_ words: String, _ path: String) {
        #expect(CommandLine("--model m " + words).settings?.tokenizerPath == path)
    }

    @Test func takesTheAbbreviationsThatScriptsRelyOn() throws {
        let line = CommandLine(
            "--model m --tp 1 --dp 1 --ep 1 --context-len 8k --mem-fraction 0.8 --max-run 3 --served n")
        let settings = try #require(line.settings, "\(line.outcome)")
        #expect(settings.contextLength == 8000)
        #expect(settings.memFractionStatic == 0.8)
        #expect(settings.maxRunningRequests == 3)
        #expect(settings.servedModelName == "n")
    }

    @Test func ownFlagsNeverMakeAnAbbreviationOfSGLangAmbiguous() throws {
        let settings = try #require(CommandLine("--model m --max-r 3 --max-res 4 --run /r").settings)
        #expect(settings.maxRunningRequests == 3)
        #expect(settings.maxRestarts == 4)
        #expect(settings.runDirectory == "/r")
    }

    @Test func theLastOfSeveralWins() {
        #expect(CommandLine("--port 1 --model a --port 2 --model-path b --port=3").settings?.port == 3)
        #expect(CommandLine("--model a --model-path b").settings?.modelPath == "b")
    }

    @Test func takesValuesThatLookLikeNegativeNumbersOrHoldBlanks() {
        #expect(CommandLine(words: ["--model", "a folder/m"]).settings?.modelPath == "a folder/m")
        #expect(CommandLine(words: ["--model", "-5"]).settings?.modelPath == "-5")
        #expect(CommandLine(words: ["--model=--odd"]).settings?.modelPath == "--odd")
        #expect(CommandLine(words: ["--model", "m", "--api-key", "- -"]).settings?.apiKey == "- -")
    }

    @Test func looksUpTheEnvironment() {
        var line = CommandLine("--model m")
        line.environment = ["HOME": "/home/me", "SRT_KERNEL_ISA": "avx2"]
        #expect(line.settings?.kernelISA == .avx2)
        #expect(line.settings?.weightCacheDirectory == "/home/me/.cache/srt/weights")
        line.environment["XDG_CACHE_HOME"] = "/cache"
        #expect(line.settings?.weightCacheDirectory == "/cache/srt/weights")
        line.environment["XDG_CACHE_HOME"] = "relative"
        #expect(line.settings?.weightCacheDirectory == "/home/me/.cache/srt/weights")
        line.environment["SRT_KERNEL_ISA"] = ""
        #expect(line.settings?.kernelISA == nil)
        line.arguments += ["--kernel-isa", "scalar", "--weight-cache-dir", "none"]
        line.environment["SRT_KERNEL_ISA"] = "avx512"
        #expect(line.settings?.kernelISA == .scalar)
        #expect(line.settings.map { $0.weightCacheDirectory == nil } == true)
        #expect(CommandLine("--model m").settings.map { $0.weightCacheDirectory == nil } == true)
    }

    @Test func looksUpTheHeadOfSparseVectors() {
        var line = CommandLine("--model m")
        #expect(line.settings.map { $0.sparseHead == nil } == true)
        line.environment["SGLANG_EMBEDDINGS_SPARSE_HEAD"] = "sparse_linear.pt"
        #expect(line.settings.map { WorkerSettings($0).sparseHead } == "sparse_linear.pt")
    }

    @Test func looksUpTheCoresOfSGLang() {
        var line = CommandLine("--model m --tp 2")
        line.environment = ["SGLANG_CPU_OMP_THREADS_BIND": "0-1|2-3"]
        #expect(line.settings?.cpuBind?.ranks == [[0, 1], [2, 3]])
        #expect(line.settings?.argumentLine.contains("cpu_bind='0-1|2-3'") == true)
        line.arguments += ["--cpu-bind", "7|8"]
        #expect(line.settings?.cpuBind?.ranks == [[7], [8]])
        line = CommandLine("--model m")
        line.environment = ["SGLANG_CPU_OMP_THREADS_BIND": "all"]
        #expect(line.settings.map { $0.cpuBind == nil } == true)
    }

    @Test func drawsASeedWithinSGLangsRange() throws {
        for _ in 0..<100 {
            let outcome = ServerSettings.parse(["--model", "m"], environment: [:], readFile: { _ in "" })
            guard case .settings(let settings, _) = outcome else {
                Issue.record("\(outcome)")
                return
            }
            #expect((0...(1 << 30)).contains(settings.randomSeed))
        }
    }
}
