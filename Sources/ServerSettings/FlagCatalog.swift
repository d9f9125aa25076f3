internal import OutputParsers
internal import Values

/// Every launch flag that srt recognises, found by name.
enum FlagCatalog {
    /// All flags: the honoured ones in the order of `--help`, then those that are only recognised.
    static let flags: [Flag] =
        model + serving + responses + grammars + encryption + scheduling + windows + device + observability
        + requestLines
        + experts + processes + operators + ignored + refused + gone

    /// Every name and alias with its flag.
    static let byName: [String: Flag] = {
        var table: [String: Flag] = [:]
        for flag in flags {
            for name in [flag.name] + flag.aliases {
                let earlier = table.updateValue(flag, forKey: name)
                precondition(earlier == nil, "flag --\(name) is listed twice")
            }
        }
        return table
    }()

    /// The flags that `--help` lists under a heading.
    static func honoured(in section: FlagSection) -> [Flag] {
        flags.filter { $0.section == section && !$0.help.isEmpty }
    }
}

// MARK: - Honoured flags

extension FlagCatalog {
    /// Counts travel between processes as 32-bit numbers.
    private static let anyCount = 1...Int(Int32.max)
    private static let path = FlagKind.text(valueName: "PATH")

    /// Checkpoint and numbers.
    static let model: [Flag] = [
        Flag(
            name: "model-path", aliases: ["model"], kind: path, standing: .honoured(FlagBinding(\.modelPath)),
            section: .model, help: "folder of the checkpoint, or a .gguf file"),
        Flag(
            name: "tokenizer-path", kind: path, standing: .honoured(FlagBinding(\.tokenizerPath)),
            section: .model, help: "folder with the tokenizer (the model's)"),
        Flag(
            name: "load-format", kind: .choice(KnownWords.loadFormats), standing: .honoured(FlagBinding(\.loadFormat)),
            section: .model, help: "how the weights are stored; dummy makes random ones",
            served: ServedValues(
                LoadFormat.allCases.map(\.rawValue),
                otherwise: "it reads safetensors and GGUF; convert the checkpoint to one of them")),
        Flag(
            name: "dtype", kind: .choice(["auto", "half", "float16", "bfloat16", "float", "float32"]),
            standing: .honoured(FlagBinding(\.dtype)), section: .model,
            help: "type in which the model computes and keeps its KV cache"),
        Flag(
            name: "context-length", kind: .count(anyCount), standing: .honoured(FlagBinding(\.contextLength)),
            section: .model, help: "longest sequence in tokens, such as 4096, 8k or 4Ki (the model's own)"),
        Flag(
            name: "json-model-override-args", kind: .jsonObject,
            standing: .honoured(FlagBinding(\.jsonModelOverrideArgs)), section: .model,
            help: "entries that replace those of config.json"),
        Flag(
            name: "quantization", kind: .choice(KnownWords.quantizations),
            standing: .honoured(FlagBinding(\.quantization)), section: .model,
            help: "weights quantized at load, or as the checkpoint has them",
            served: ServedValues(
                QuantizationMethod.allCases.map(\.rawValue),
                otherwise: "Invalid quantization method on CPU. Available methods: ['w8a8_int8', 'int4', 'gguf', "
                    + "'gptq', 'awq', 'fp8', 'compressed-tensors']; a quantized GGUF file loads without the flag")),
        Flag(
            name: "int4-group-size", kind: .integer(32...128), standing: .honoured(FlagBinding(\.int4GroupSize)),
            section: .model, help: "weights that share a scale with --quantization int4",
            served: ServedValues([32, 64, 128], otherwise: "choose 32, 64 or 128")),
        Flag(
            name: "int4-head-bits", kind: .integer(4...8), standing: .honoured(FlagBinding(\.int4HeadBits)),
            section: .model, help: "bits of the output head's weights with --quantization int4",
            served: ServedValues([4, 8], otherwise: "choose 4 or 8")),
        Flag(
            name: "strict-weights", kind: .toggle, standing: .honoured(FlagBinding(\.strictWeights)),
            section: .processes, help: "tensors that the model has no place for are errors, not warnings"),
        Flag(
            name: "kv-cache-dtype", kind: .choice(KnownWords.cacheTypes),
            standing: .honoured(FlagBinding(\.kvCacheDType)), section: .model,
            help: "type of the KV cache: auto (the model's), bfloat16 or int8",
            served: ServedValues(
                ["auto", "bfloat16", "bf16", "int8"], otherwise: "choose auto, bfloat16 (bf16) or int8")),
        Flag(
            name: "is-embedding", kind: .toggle, standing: .honoured(FlagBinding(\.isEmbedding)), section: .model,
            help: "vectors of texts instead of more text; encoders and reward models need no flag"),
        Flag(
            name: "pooler-type", kind: .choice(PoolerType.allCases.map(\.rawValue)),
            standing: .honoured(FlagBinding(\.poolerType)), section: .processes,
            help: "which rows of a text make its vector (as the checkpoint says)"),
        Flag(
            name: "pooling-compat", kind: .choice(PoolingRule.allCases.map(\.rawValue)),
            standing: .honoured(FlagBinding(\.poolingRule)), section: .processes,
            help: "pool as the checkpoint's files say, or as SGLang does"),
    ]

    /// The HTTP side.
    static let serving: [Flag] = [
        Flag(
            name: "host", kind: .text(valueName: "ADDRESS"), standing: .honoured(FlagBinding(\.host)),
            section: .serving, help: "address to listen on; '' listens on all, of both families"),
        Flag(
            name: "port", kind: .integer(0...65535), standing: .honoured(FlagBinding(\.port)),
            section: .serving, help: "port to listen on; 0 takes a free one"),
        Flag(
            name: "served-model-name", kind: .text(valueName: "NAME"),
            standing: .honoured(FlagBinding(\.servedModelName)), section: .serving,
            help: "name that clients use for the model (the model path)"),
        Flag(
            name: "api-key", kind: .text(valueName: "KEY"), standing: .honoured(FlagBinding(\.apiKey)),
            section: .serving, help: "secret that requests must carry", isSecret: true),
        Flag(
            name: "admin-api-key", kind: .text(valueName: "KEY"), standing: .honoured(FlagBinding(\.adminAPIKey)),
            section: .serving, help: "secret that operators' requests must carry", isSecret: true),
        Flag(
            name: "weight-version", kind: .text(valueName: "LABEL"),
            standing: .honoured(FlagBinding(\.weightVersion)), section: .serving,
            help: "label of the weights, returned with every answer"),
        Flag(
            name: "stream-interval", kind: .integer(anyCount), standing: .honoured(FlagBinding(\.streamInterval)),
            section: .serving, help: "tokens between two frames of a stream"),
        Flag(
            name: "incremental-streaming-output", kind: .toggle,
            standing: .honoured(FlagBinding(\.incrementalStreamingOutput)), section: .serving,
            help: "frames of /generate hold only what is new"),
        Flag(
            name: "allow-auto-truncate", kind: .toggle, standing: .honoured(FlagBinding(\.allowAutoTruncate)),
            section: .serving, help: "cut prompts that are too long instead of refusing them"),
        Flag(
            name: "preferred-sampling-params", kind: .jsonObject,
            standing: .honoured(FlagBinding(\.preferredSamplingParams)), section: .serving,
            help: "sampling parameters used where a request names none"),
        Flag(
            name: "sampling-defaults", kind: .choice(["openai", "model"]),
            standing: .honoured(FlagBinding(\.samplingDefaults)), section: .serving,
            help: "where OpenAI requests take missing sampling parameters from"),
        Flag(
            name: "enable-cache-report", kind: .toggle, standing: .honoured(FlagBinding(\.enableCacheReport)),
            section: .serving, help: "usage objects tell how much of the prompt was cached"),
        Flag(
            name: "chat-template", kind: .text(valueName: "NAME|PATH"),
            standing: .honoured(FlagBinding(\.chatTemplate)),
            section: .serving, help: "built-in chat template, or a file with one (the model's)"),
        Flag(
            name: "hf-chat-template-name", kind: .text(valueName: "NAME"),
            standing: .honoured(FlagBinding(\.chatTemplateName)),
            section: .serving, help: "which of a model's chat templates is used"),
        Flag(
            name: "default-chat-template-kwargs", kind: .jsonObject,
            standing: .honoured(FlagBinding(\.defaultChatTemplateKwargs)), section: .serving,
            help: "variables of the chat template where a request sets none"),
        Flag(
            name: "trust-request-chat-template", kind: .toggle,
            standing: .honoured(FlagBinding(\.trustRequestChatTemplate)), section: .serving,
            help: "requests may bring a chat template of their own"),
        Flag(
            name: "tool-call-parser", kind: .choice(KnownWords.toolCallParsers),
            standing: .honoured(FlagBinding(\.toolCallParser)), section: .serving,
            help: "format of the model's tool calls; auto goes by the chat template",
            served: ServedValues(["auto"] + ToolCallParser.names, otherwise: "it does not have this parser")),
        Flag(
            name: "reasoning-parser", kind: .choice(KnownWords.reasoningParsers),
            standing: .honoured(FlagBinding(\.reasoningParser)), section: .serving,
            help: "format of the model's thoughts; auto goes by the chat template",
            served: ServedValues(["auto"] + ReasoningParser.names, otherwise: "it does not have this parser")),
        Flag(
            name: "stream-response-default-include-usage", kind: .toggle,
            standing: .honoured(FlagBinding(\.streamsUsage)), section: .serving,
            help: "streams end with a usage chunk, asked for or not"),
        Flag(
            name: "return-input-ids", kind: .toggle, standing: .honoured(FlagBinding(\.returnInputIDs)),
            section: .serving, help: "chat answers hold the prompt's token ids"),
        Flag(
            name: "return-output-ids", kind: .toggle, standing: .honoured(FlagBinding(\.returnOutputIDs)),
            section: .serving, help: "chat answers hold the output's token ids"),
        Flag(
            name: "skip-tokenizer-init", kind: .toggle, standing: .honoured(FlagBinding(\.skipTokenizerInit)),
            section: .serving, help: "token ids in, token ids out"),
        Flag(
            name: "skip-server-warmup", kind: .toggle, standing: .honoured(FlagBinding(\.skipServerWarmup)),
            section: .serving, help: "ready without a first request"),
        Flag(
            name: "config", kind: path, standing: .configurationFile, section: .serving,
            help: "YAML file with flags as 'name: value'; the command line wins"),
    ]

    /// Batches, queues, cache.
    static let scheduling: [Flag] = [
        Flag(
            name: "mem-fraction-static", kind: .number(0.01...1),
            standing: .honoured(FlagBinding(\.memFractionStatic)), section: .scheduling,
            help: "share of memory for weights and KV pool (derived)"),
        Flag(
            name: "max-total-tokens", kind: .count(anyCount), standing: .honoured(FlagBinding(\.maxTotalTokens)),
            section: .scheduling, help: "size of the KV pool in tokens (derived)"),
        Flag(
            name: "max-running-requests", kind: .integer(anyCount),
            standing: .honoured(FlagBinding(\.maxRunningRequests)), section: .scheduling,
            help: "most requests in one decode batch (derived)"),
        Flag(
            name: "max-queued-requests", kind: .integer(0...Int(Int32.max)),
            standing: .honoured(FlagBinding(\.maxQueuedRequests)), section: .scheduling,
            help: "most waiting requests; more are answered with 503"),
        Flag(
            name: "max-queued-tokens", kind: .count(anyCount), standing: .honoured(FlagBinding(\.maxQueuedTokens)),
            section: .processes, help: "most prompt tokens that wait together; more are answered with 503"),
        Flag(
            name: "chunked-prefill-size", kind: .integer(-1...Int(Int32.max)),
            standing: .honoured(FlagBinding(minusOneIsNil: \.chunkedPrefillSize)), section: .scheduling,
            help: "longest piece of a prompt in one step; -1 never cuts"),
        Flag(
            name: "max-prefill-tokens", kind: .count(anyCount),
            standing: .honoured(FlagBinding(\.maxPrefillTokens)), section: .scheduling,
            help: "most prompt tokens in one prefill batch"),
        Flag(
            name: "target-itl-ms", kind: .integer(1...Int(Int32.max)),
            standing: .honoured(FlagBinding(\.targetInterTokenMilliseconds)), section: .processes,
            help: "milliseconds of a step beside streams, by which pieces of prompts are sized"),
        Flag(
            name: "prefill-max-requests", kind: .integer(anyCount),
            standing: .honoured(FlagBinding(\.prefillMaxRequests)), section: .scheduling,
            help: "most requests in one prefill batch"),
        Flag(
            name: "schedule-policy", kind: .choice(KnownWords.schedulePolicies),
            standing: .honoured(FlagBinding(\.schedulePolicy)), section: .scheduling,
            help: "order of admission",
            served: ServedValues(
                SchedulePolicy.allCases.map(\.rawValue),
                otherwise: "priorities are no policy; use --enable-priority-scheduling with fcfs or lof")),
        Flag(
            name: "enable-priority-scheduling", kind: .toggle,
            standing: .honoured(FlagBinding(\.enablePriorityScheduling)), section: .scheduling,
            help: "requests with a larger priority go first, with the policies fcfs and lof"),
        Flag(
            name: "schedule-low-priority-values-first", kind: .toggle,
            standing: .honoured(FlagBinding(\.scheduleLowPriorityValuesFirst)), section: .scheduling,
            help: "requests with a smaller priority go first"),
        Flag(
            name: "default-priority-value", kind: .integer(Int.min...Int.max),
            standing: .honoured(FlagBinding(\.defaultPriorityValue)), section: .scheduling,
            help: "priority of requests that name none (the lowest)"),
        Flag(
            name: "priority-scheduling-preemption-threshold", kind: .integer(0...Int(Int32.max)),
            standing: .honoured(FlagBinding(\.priorityPreemptionThreshold)), section: .scheduling,
            help: "a running request gives way to one whose priority is higher by so much"),
        Flag(
            name: "disable-priority-preemption", kind: .toggle,
            standing: .honoured(FlagBinding(\.disablePriorityPreemption)), section: .scheduling,
            help: "running requests give way to none"),
        Flag(
            name: "abort-on-priority-when-disabled", kind: .toggle,
            standing: .honoured(FlagBinding(\.abortOnPriorityWhenDisabled)), section: .scheduling,
            help: "without priority scheduling, requests that name a priority are answered with 503"),
        Flag(
            name: "retraction-policy", kind: .choice(ServerSettings.RetractionPolicy.allCases.map(\.rawValue)),
            standing: .honoured(FlagBinding(\.retractionPolicy)), section: .scheduling,
            help: "who loses KV slots first: the least output, or the lowest priority"),
        Flag(
            name: "schedule-conservativeness", kind: .number(0...1e6),
            standing: .honoured(FlagBinding(\.scheduleConservativeness)), section: .scheduling,
            help: "higher reserves more room for outputs"),
        Flag(
            name: "disable-radix-cache", kind: .toggle, standing: .honoured(FlagBinding(\.disableRadixCache)),
            section: .scheduling, help: "keep no prefix for reuse"),
        Flag(
            name: "page-size", kind: .integer(anyCount), standing: .honoured(FlagBinding(\.pageSize)),
            section: .scheduling, help: "tokens in one KV page; whole pages are cached and shared"),
    ]

    /// Devices, ranks, seeds.
    static let device: [Flag] = [
        Flag(
            name: "device", kind: .choice(["auto", "cuda", "xpu", "hpu", "npu", "cpu", "musa"]), standing: .fixed,
            section: .device, help: "cpu is the only one",
            served: ServedValues(["auto", "cpu"], otherwise: "it computes on the CPU only; leave the flag away")),
        Flag(
            name: "tp-size", aliases: ["tensor-parallel-size", "tp"], kind: .integer(1...32),
            standing: .honoured(FlagBinding(\.tensorParallelSize)), section: .device,
            help: "tensor-parallel ranks that share the model, each a process"),
        Flag(
            name: "random-seed", kind: .integer(0...(1 << 62)), standing: .honoured(FlagBinding(\.randomSeed)),
            section: .device, help: "seed of sampling (drawn at start)"),
        Flag(
            name: "watchdog-timeout", kind: .number(0.001...1e9), standing: .honoured(FlagBinding(\.watchdogTimeout)),
            section: .device, help: "longest time for one step of the model in seconds"),
        Flag(
            name: "sleep-on-idle", kind: .toggle, standing: .inherent(.bool(true)), section: .device,
            help: "always so: an idle server uses no CPU"),
        Flag(
            name: "enable-deterministic-inference", kind: .toggle, standing: .inherent(.bool(true)),
            section: .device, help: "always so: results do not depend on the batch"),
    ]

    /// A list of bounds of a histogram.
    private static func bounds(
        _ name: String, _ field: any WritableKeyPath<ServerSettings, BucketBounds?> & Sendable, _ help: String
    ) -> Flag {
        Flag(
            name: name, kind: .list(atLeast: 1),
            standing: .honoured(FlagBinding(field, otherwise: "is not a list of numbers")), section: .observability,
            help: "bounds of the histogram of \(help)")
    }

    /// Bounds of a histogram of token counts.
    private static func rule(
        _ name: String, _ field: any WritableKeyPath<ServerSettings, BucketRule?> & Sendable, _ help: String
    ) -> Flag {
        Flag(
            name: name, kind: .list(atLeast: 1),
            standing: .honoured(
                FlagBinding(
                    field, otherwise: "is none of: default; tse MIDDLE BASE COUNT, with a base above 1; custom N N …")),
            section: .observability, help: "bounds of the histogram of \(help): default, tse or custom")
    }

    /// Logs and counters.
    static let observability: [Flag] = [
        Flag(
            name: "log-level", kind: .choice(LogLevel.allCases.map(\.rawValue)),
            standing: .honoured(FlagBinding(\.logLevel)), section: .observability,
            help: "least important lines that are written"),
        Flag(
            name: "log-level-http", kind: .choice(LogLevel.allCases.map(\.rawValue)),
            standing: .honoured(FlagBinding(\.logLevelHTTP)), section: .observability,
            help: "the same for access lines (that of --log-level)"),
        Flag(
            name: "decode-log-interval", kind: .integer(anyCount),
            standing: .honoured(FlagBinding(\.decodeLogInterval)), section: .observability,
            help: "decode steps between two lines about them"),
        Flag(
            name: "enable-metrics", kind: .toggle, standing: .honoured(FlagBinding(\.enableMetrics)),
            section: .observability, help: "serve /metrics for Prometheus; add times to meta_info"),
        bounds("bucket-time-to-first-token", \.bucketTimeToFirstToken, "seconds to the first token"),
        bounds("bucket-inter-token-latency", \.bucketInterTokenLatency, "seconds between tokens"),
        bounds("bucket-e2e-request-latency", \.bucketEndToEndLatency, "seconds of whole requests"),
        rule("prompt-tokens-buckets", \.promptTokensBuckets, "prompt lengths"),
        rule("generation-tokens-buckets", \.generationTokensBuckets, "output lengths"),
        Flag(
            name: "extra-metric-labels", kind: .jsonObject,
            standing: .honoured(
                FlagBinding(
                    \.extraMetricLabels, otherwise: "holds a label whose name is none or whose value is no text")),
            section: .observability, help: "labels that every metric gets"),
    ]

    /// Processes and limits of srt itself.
    static let processes: [Flag] = [
        Flag(
            name: "cpu-threads-per-rank", kind: .integer(1...4096),
            standing: .honoured(FlagBinding(\.cpuThreadsPerRank)), section: .processes,
            help: "threads that compute in each rank (the cores shared out)"),
        Flag(
            name: "cpu-bind", kind: .coreGroups, standing: .honoured(FlagBinding(\.cpuBind)), section: .processes,
            help: "cores of each rank, like 0-15|16-31, as in SGLANG_CPU_OMP_THREADS_BIND (shared out)"),
        Flag(
            name: "kernel-isa", kind: .choice(KernelISA.allCases.map(\.rawValue)),
            standing: .honoured(FlagBinding(\.kernelISA)), section: .processes,
            help: "most capable kernels to use; SRT_KERNEL_ISA does the same (the fastest here)"),
        Flag(
            name: "run-dir", kind: path, standing: .honoured(FlagBinding(\.runDirectory)), section: .processes,
            help: "folder for sockets and process state (a private one)"),
        Flag(
            name: "weight-cache-dir", kind: path, standing: .honoured(FlagBinding(\.weightCacheDirectory)),
            section: .processes, help: "folder of packed weights, or 'none' (srt/weights in the user's cache)"),
        Flag(
            name: "max-body-size", kind: .count(1024...(1 << 40)), standing: .honoured(FlagBinding(\.maxBodySize)),
            section: .processes, help: "largest request body in bytes, such as 16Mi"),
        Flag(
            name: "max-body-memory", kind: .count(1024...(1 << 50)), standing: .honoured(FlagBinding(\.maxBodyMemory)),
            section: .processes,
            help: "bytes of bodies in work together; more are answered with 503 (1/8 of memory)"),
        Flag(
            name: "request-timeout", kind: .number(0.001...1e9), standing: .honoured(FlagBinding(\.requestTimeout)),
            section: .processes, help: "longest time for a request in seconds, waiting included (none)"),
        Flag(
            name: "keep-alive-timeout", kind: .number(0.001...1e9),
            standing: .honoured(FlagBinding(\.keepAliveTimeout)), section: .processes,
            help: "seconds an idle connection is kept; SGLANG_TIMEOUT_KEEP_ALIVE does the same"),
        Flag(
            name: "max-connections", kind: .integer(1...1_000_000), standing: .honoured(FlagBinding(\.maxConnections)),
            section: .processes, help: "most client connections at one time"),
        Flag(
            name: "on-child-failure", kind: .choice(ServerSettings.ChildFailurePolicy.allCases.map(\.rawValue)),
            standing: .honoured(FlagBinding(\.onChildFailure)), section: .processes,
            help: "restart a process that died, or exit with the whole server"),
        Flag(
            name: "max-restarts", kind: .integer(0...Int(Int32.max)), standing: .honoured(FlagBinding(\.maxRestarts)),
            section: .processes, help: "restarts of one process within ten minutes before it counts as failed"),
        Flag(
            name: "drain-timeout", kind: .number(0...1e9), standing: .honoured(FlagBinding(\.drainTimeout)),
            section: .processes, help: "seconds for running requests after SIGTERM"),
    ]
}
