/// Flags of SGLang that srt recognises by name only, so that a script that uses them is told what happens.
///
/// What follows such a flag is told from its default in SGLang: see `FlagKind.init(defaultOf:)`. Where that says
/// too little, the name ends in `:toggle`, `:list` or `:optional`.
extension FlagCatalog {
    /// Accepted with one warning each, since what they ask for makes no difference to the answers.
    static let ignored: [Flag] = [
        group(
            "srt loads weights in its own way",
            """
            model-loader-extra-config model-impl model-config-parser quantization-param-path model-checksum:optional
            startup-weight-load-mode weight-loader-prefetch-checkpoints weight-loader-prefetch-num-threads
            weight-loader-drop-cache-after-load delete-ckpt-after-loading
            """),
        group("srt runs no code from a model folder", "trust-remote-code"),
        group("srt has one tokenizer, its own", "tokenizer-mode tokenizer-backend"),
        group("the warm-up is one generation", "warmups"),
        group(
            "srt has one tokenizer process and one detokenizer process",
            "tokenizer-worker-num detokenizer-worker-num"),
        group("srt runs no Python: requests that bring such a processor are refused", "enable-custom-logit-processor"),
        group("a model that hangs ends its process; see --watchdog-timeout", "soft-watchdog-timeout"),
        group(
            "weights that were given back are read again from the packed file",
            "enable-weights-cpu-backup enable-draft-weights-cpu-backup"),
        group(
            "the tokenizer and detokenizer batch by themselves",
            """
            batch-notify-size enable-dynamic-batch-tokenizer dynamic-batch-tokenizer-batch-size
            dynamic-batch-tokenizer-batch-timeout enable-tokenizer-batch-encode disable-tokenizer-batch-decode
            enable-http-worker-reuseport
            """),
        group(
            "no endpoint of srt uses it",
            """
            completion-template strip-thinking-cache file-storage-path tool-server asr-max-buffer-seconds
            asr-max-concurrent-sessions enable-mis mm-attention-backend enable-broadcast-mm-inputs-process
            enable-prefix-mm-cache mm-enable-dp-encoder mm-processor-worker-num mm-io-worker-num
            mm-preprocess-cache-size-mb trust-mm-content-hashes enable-mm-global-cache image-processor-backend
            mm-global-cache-backend disable-fast-image-processor mm-feature-transport
            """),
        group(
            "srt speaks HTTP/1.1",
            "enable-http2 http2-max-concurrent-streams http2-initial-connection-window-size"),
        group(
            "srt computes on the CPU",
            """
            base-gpu-id gpu-id-step mlx-enable-sampling nccl-port disable-custom-all-reduce enable-nccl-nvls
            enable-mscclpp enable-symm-mem enable-torch-symm-mem pre-warm-nccl enable-p2p-check
            enable-quant-communications cpu-offload-gb offload-group-size offload-num-in-group offload-prefetch-step
            offload-mode
            """),
        group("srt has no garbage collector", "gc-threshold:list gc-warning-threshold-secs"),
        group(
            "srt plans its steps in its own way",
            """
            disable-overlap-schedule scheduler-recv-interval enable-dynamic-chunking prefill-decode-interval
            prefill-decode-interval-min-bs min-free-slots-delay enable-prefill-delayer prefill-delayer-max-delay-passes
            prefill-delayer-token-usage-low-watermark prefill-delayer-forward-passes-buckets:list
            prefill-delayer-wait-seconds-buckets:list prefill-delayer-queue-min-ratio prefill-delayer-max-delay-ms
            prefill-only-disable-kv-cache disable-chunked-prefix-cache c128-page-size num-continuous-decode-steps
            """),
        group("every step takes pieces of prompts beside the requests that decode", "enable-mixed-chunk"),
        group("prefixes leave the cache in LRU order", "radix-eviction-policy radix-eviction-policy-config"),
        group(
            "the only cache is the one in memory",
            """
            enable-hierarchical-cache:toggle hicache-ratio hicache-size hicache-host-memory-fraction
            hicache-host-memory-mode hicache-write-policy hicache-io-backend hicache-mem-layout hicache-storage-backend
            hicache-storage-prefetch-policy hicache-storage-backend-extra-config
            hicache-storage-prefetch-retry-poll-interval hicache-storage-prefetch-retry-max-attempts
            enable-session-radix-cache radix-cache-backend enable-page-major-kv-layout enable-unified-memory
            swa-prefix-tails
            """, aliases: ["enable-hierarchical-cache": ["enable-hicache"]]),
        group(
            "srt has one replica", "load-balance-method enable-dp-lm-head enable-dp-attention-local-control-broadcast"),
        group("srt logs what it logs by --log-level", "show-time-cost enable-request-time-stats-logging"),
        group(
            "only the first rank schedules, so there is one set of its numbers", "enable-metrics-for-all-schedulers"),
        group(
            "srt serves metrics at /metrics only",
            """
            export-metrics-to-file export-metrics-to-file-dir load-snapshot-publish-interval enable-mfu-metrics
            """),
        group("srt sends no traces", "enable-trace trace-modules otlp-traces-endpoint otlp-service-name"),
        group(
            "srt serves no LoRA adapters",
            """
            lora-backend max-lora-chunk-size enable-lora-overlap-loading lora-drain-wait-threshold lora-strict-loading
            experts-shared-outer-loras lora-use-virtual-experts lora-eviction-policy
            """),
        group(
            "srt always uses its own CPU kernels",
            """
            attention-backend prefill-attention-backend decode-attention-backend sampling-backend enable-torch-compile
            torch-compile-max-bs enable-torch-compile-debug-mode triton-attention-reduce-in-fp32
            triton-attention-num-kv-splits triton-attention-split-tile-size flashinfer-mla-disable-ragged
            disable-flashinfer-autotune flashinfer-autotune-skip-ops:list enable-fused-qk-norm-rope enable-tf32-matmul
            fp8-gemm-backend fp4-gemm-backend bf16-gemm-backend disable-outlines-disk-cache
            """),
        group(
            "there is no CUDA on a CPU",
            """
            disable-cuda-graph disable-prefill-cuda-graph disable-decode-cuda-graph disable-cuda-graph-padding
            enable-profile-cuda-graph enable-cudagraph-gc debug-cuda-graph cuda-graph-config cuda-graph-backend-decode
            cuda-graph-backend-prefill cuda-graph-max-bs-decode cuda-graph-max-bs-prefill cuda-graph-max-seq-len-prefill
            cuda-graph-bs-decode:list cuda-graph-bs-prefill:list cuda-graph-prefill-max-context
            enable-layerwise-nvtx-marker enable-flashinfer-allreduce-fusion
            """, aliases: ["cuda-graph-prefill-max-context": ["context-bucket"]]),
        group(
            "each expert is split over the ranks, so none has to be moved for balance",
            """
            ep-size
            ep-num-redundant-experts ep-dispatch-algorithm init-expert-location enable-eplb eplb-algorithm
            eplb-rebalance-num-iterations eplb-rebalance-layers-per-chunk eplb-min-rebalancing-utilization-threshold
            disable-shared-experts-fusion enforce-shared-experts-fusion moe-dense-tp-size moe-dp-size
            expert-balancedness-report-mode
            """,
            aliases: ["moe-dp-size": ["moe-data-parallel-size"], "ep-size": ["ep", "expert-parallel-size"]]),
        group(
            "srt has no speculative decoding",
            """
            speculative-adaptive-config speculative-attention-mode speculative-draft-load-format
            speculative-draft-model-quantization speculative-draft-kv-cache-dtype speculative-token-map
            speculative-draft-window-size speculative-draft-sink-size
            """),
    ].flatMap { $0.flags(as: FlagStanding.ignored) }

    /// Flags that are gone from SGLang but stand in older scripts.
    static let gone: [Flag] =
        [
            Flag(
                name: "stream-output", kind: .toggle, standing: .renamed(to: "incremental-streaming-output"),
                isAbbreviable: false),
            Flag(
                name: "impl", kind: .text(valueName: "TEXT"), standing: .renamed(to: "model-impl"),
                isAbbreviable: false),
        ]
        + [
            group(
                "there is no CUDA on a CPU",
                """
                cuda-graph-max-bs cuda-graph-bs:list monokernel-backend enable-piecewise-cuda-graph
                disable-piecewise-cuda-graph enforce-piecewise-cuda-graph piecewise-cuda-graph-max-tokens
                piecewise-cuda-graph-compiler piecewise-cuda-graph-tokens:list
                """),
            group("pipelines have one stage", "max-micro-batch-size"),
            group("srt serves dense models only", "enable-ep-moe enable-deepep-moe"),
            group("attention has one replica", "enable-dp-attention"),
            group("srt has no hybrid KV cache", "hybrid-kvcache-ratio:optional"),
        ].flatMap { $0.flags(as: FlagStanding.ignored) }.map { flag in
            var flag = flag
            flag.isAbbreviable = false
            return flag
        }

    /// A group of flags for which one reason holds.
    static func group(_ reason: String, _ names: String, aliases: [String: [String]] = [:]) -> FlagGroup {
        FlagGroup(reason: reason, names: names, aliases: aliases)
    }
}

/// Names of flags for which one reason holds.
struct FlagGroup {
    /// Why they have no effect, or are refused.
    let reason: String
    /// The names, separated by white space, each with an optional kind after a colon.
    let names: String
    /// Other names of some of them.
    let aliases: [String: [String]]

    /// The flags themselves.
    func flags(as standing: (String) -> FlagStanding) -> [Flag] {
        names.split(whereSeparator: \.isWhitespace).map { word in
            let parts = word.split(separator: ":")
            let name = String(parts[0])
            var flag = Flag(
                name: name, aliases: aliases[name] ?? [], kind: .toggle, standing: standing(reason))
            flag.kind =
                switch parts.count > 1 ? parts[1] : "" {
                case "toggle": .toggle
                case "list": .list(atLeast: 1)
                case "optional": .optionalText
                default: FlagKind(defaultOf: flag)
                }
            return flag
        }
    }
}

extension FlagKind {
    /// What a flag takes, told from its default in SGLang, its known words, and its name.
    init(defaultOf flag: Flag) {
        if let words = KnownWords.table[flag.name] {
            self = .choice(words)
            return
        }
        let verbs = ["enable-", "disable-", "enforce-", "debug-"]
        self =
            switch ReferenceArguments.byField[flag.field] ?? .null {
            case .bool: .toggle
            case .integer: .integer(Int.min...Int.max)
            case .number: .number(-Double.greatestFiniteMagnitude...Double.greatestFiniteMagnitude)
            case .list: .list(atLeast: 0)
            case .text: .text(valueName: "TEXT")
            case .null: verbs.contains(where: flag.name.hasPrefix) ? .toggle : .text(valueName: "TEXT")
            }
    }
}
