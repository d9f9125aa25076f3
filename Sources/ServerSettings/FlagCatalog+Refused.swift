/// Flags of SGLang that ask for something srt does not do: an error, unless the value is the default.
extension FlagCatalog {
    /// Recognised, with the reason that the error names.
    static let refused: [Flag] = (serverGroups + engineGroups + vendorGroups).flatMap {
        $0.flags(as: FlagStanding.refused)
    }

    /// What clients and operators would notice.
    private static let serverGroups = [
        group(
            "models are read from local folders; download the checkpoint first",
            "revision download-dir custom-weight-loader checkpoint-engine-wait-weights-before-ready"),
        group("weights are mapped, never read", "weight-loader-disable-mmap"),
        group(
            "weights are quantized by --quantization only", "quantize-and-serve rl-quant-profile"),
        group(
            "the budget of a chat's thinking (budget_tokens, reasoning_effort as a number) always holds",
            "enable-strict-thinking"),
        group("a request holds all it needs", "enable-streaming-session"),
        group("paths start at /; rewrite them in the proxy", "fastapi-root-path"),
        group(
            "it speaks HTTP only",
            "grpc-port grpc-response-timeout-secs smg-grpc-mode grpc-mode sidecar:list sidecar-args:list gated-launch-port"
        ),
        group(
            "a crash loses no request; dump_requests_folder of /configure_logging keeps answered ones",
            "crash-dump-folder"),
        group(
            "metrics have no labels of single requests",
            "tokenizer-metrics-custom-labels-header tokenizer-metrics-allowed-custom-labels:list"),
        group(
            "it publishes nothing by itself; /metrics and /v1/loads can be asked",
            """
            kv-events-config load-publish-endpoint enable-forward-pass-metrics forward-pass-metrics-worker-id
            forward-pass-metrics-ipc-name smg-http-sidecar-port
            """, aliases: ["smg-http-sidecar-port": ["grpc-http-sidecar-port"]]),
        group(
            "it serves no LoRA adapters; merge the adapter into the checkpoint",
            "enable-lora lora-paths:list max-lora-rank lora-target-modules:list max-loras-per-batch max-loaded-loras"),
        group(
            "it runs no Python",
            "forward-hooks msprobe-dump-config use-ray"),
        group("answers carry no watermark", "enable-watermark watermark-config"),
    ]

    /// What the engine would have to do.
    private static let engineGroups = [
        group(
            "it runs on one machine",
            "nnodes node-rank dist-init-addr dist-timeout", aliases: ["dist-init-addr": ["nccl-init-addr"]]),
        group("run several servers behind a router instead", "dp-size", aliases: ["dp-size": ["data-parallel-size"]]),
        group(
            "a model is not cut into stages", "pp-size pp-max-micro-batch-size pp-async-batch-depth",
            aliases: ["pp-size": ["pipeline-parallel-size"]]),
        group(
            "it has one way to share a model among ranks",
            """
            attn-dp-size attn-cp-size dcp-size dcp-comm-backend dcp-replicate-q-proj dwdp-size enable-prefill-cp cp-strategy
            enable-dsa-cache-layer-split enable-cp-decode-attn-tp enable-kv-cache-sharding enable-tp-lm-head-all-to-all
            enable-attn-tp-input-scattered enable-shared-experts-attn-tp shared-experts-tp-size
            enable-dense-mlp-attn-tp enable-layernorm-sp enable-megamoe-for-layernorm-sp disable-attn-tp-gather
            elastic-ep-join-rank-offset elastic-ep-initial-size max-ep-size
            """,
            aliases: [
                "attn-dp-size": ["attention-data-parallel-size"], "attn-cp-size": ["attention-context-parallel-size"],
                "dcp-size": ["decode-context-parallel-size"],
            ]),
        group("name the cores of each rank by --cpu-bind", "numa-node:list"),
        group(
            "it has no state-space models",
            """
            max-mamba-cache-size mamba-full-memory-ratio mamba-backend mamba-ssm-dtype
            mamba-max-states-per-path enable-mamba-cache-stochastic-rounding mamba-cache-philox-rounds
            mamba-radix-cache-strategy mamba-track-interval enable-int8-mamba-checkpoint int8-mamba-ckpt-size
            linear-attn-backend linear-attn-decode-backend linear-attn-prefill-backend linear-attn-verify-backend
            enable-linear-replayssm linear-replayssm-cache-len enable-linear-replayssm-spec enable-scattered-sconv
            enable-encoder-swa-bounded-replay enable-decoder-swa-bounded-replay
            """),
        group(
            "it has no speculative decoding",
            """
            speculative-algorithm speculative-draft-model-path speculative-draft-model-revision speculative-num-steps
            speculative-eagle-topk speculative-num-draft-tokens speculative-accept-threshold-single
            speculative-accept-threshold-acc speculative-use-rejection-sampling speculative-ngram-min-bfs-breadth
            speculative-ngram-max-bfs-breadth speculative-ngram-match-type speculative-ngram-max-trie-depth
            speculative-ngram-capacity speculative-ngram-external-corpus-path speculative-ngram-external-sam-budget
            speculative-ngram-external-corpus-max-tokens speculative-adaptive uno-lora-path
            speculative-dflash-block-size speculative-domino-candidate-pool-size speculative-dspark-block-size
            speculative-dspark-sps-table-path speculative-dspark-confidence-sts-path
            speculative-dspark-align-verify-tokens-to-graph-tier speculative-use-block-verification
            speculative-draft-attention-backend speculative-dsa-topk-backend speculative-moe-runner-backend
            speculative-moe-a2a-backend speculative-enable-w4a4-mxfp4-megamoe:toggle enable-multi-layer-eagle
            spec-trace-dir decoupled-spec-bind-endpoint decoupled-spec-connect-endpoints:list decoupled-spec-rank
            decoupled-spec-role
            """, aliases: ["speculative-draft-model-path": ["speculative-draft-model"]]),
        group(
            "answers hold text, ids and log probabilities only",
            """
            enable-return-aux-hidden-states return-aux-hidden-state-layer-ids:list enable-return-indexer-topk
            sampling-mask-max-tokens
            """),
        group("--dtype float32 computes everything in float32", "enable-fp32-lm-head"),
        group(
            "its layers are not dumped",
            "debug-tensor-dump-output-folder debug-tensor-dump-layers:list debug-tensor-dump-input-file"),
        group("its KV cache needs no canary", "kv-canary kv-canary-real-data kv-canary-sweep-interval"),
        group(
            "it reads text only",
            """
            enable-multimodal limit-mm-data-per-request allowed-media-domains media-url-max-file-size-mb
            mm-process-config encoder-only language-only language-model-only encoder-transfer-backend encoder-urls
            encoder-bootstrap-port encoder-register-urls enable-adaptive-dispatch-to-encoder
            enable-precise-embedding-interpolation
            """),
        group(
            "prefill and decode run in one server",
            """
            disaggregation-mode disaggregation-transfer-backend disaggregation-bootstrap-port
            num-reserved-decode-tokens disaggregation-decode-allocation-policy disaggregation-enable-kv-checksum
            disaggregation-ib-device disaggregation-decode-enable-radix-cache
            disaggregation-decode-enable-offload-kvcache disaggregation-decode-retraction-backup
            disaggregation-decode-extra-slots disaggregation-decode-polling-interval
            disaggregation-decode-host-receive-threshold enable-pd-role-switch optimistic-prefill-attempts
            enable-pdmux pdmux-config-path sm-group-num
            """),
    ]

    /// What belongs to other devices, vendors and engines.
    private static let vendorGroups = [
        group(
            "it is made for devices or services of one vendor",
            """
            modelopt-quant modelopt-checkpoint-restore-path modelopt-checkpoint-save-path modelopt-export-path
            qsa-indexer-dtype decrypted-config-file decrypted-draft-config-file
            remote-instance-weight-loader-seed-instance-ip remote-instance-weight-loader-seed-instance-service-port
            remote-instance-weight-loader-send-weights-group-ports:list remote-instance-weight-loader-backend
            remote-instance-weight-loader-start-seed-via-transfer-engine engine-info-bootstrap-port modelexpress-config
            weight-cache-mode weight-cache-socket weight-cache-timeout
            """),
        group(
            "it is made for a cache service outside the server",
            """
            enable-lmcache lmcache-config-file enable-flexkv flexkv-config-file enable-hisparse hisparse-config
            enable-unified-cache-external-linker unified-cache-external-linker-backend
            unified-cache-external-linker-config enable-linker-mla-dedup
            """, aliases: ["hisparse-config": ["hierarchical-sparse-attention-extra-config"]]),
        group(
            "it chooses kernels of GPUs",
            """
            enable-lean-attention enable-nvidia-megakernel enable-amd-monokernel prefill-kv-cache-dequant-dtype
            dsa-prefill-backend dsv4-prefill-backend dsa-triton-union dsa-decode-backend dsv4-attn-backend
            dsa-paged-mqa-logits-backend dsa-topk-backend enable-deepseek-v4-fp4-indexer enable-dsa-fused-indexer
            boundary-reduction enforce-disable-flashinfer-allreduce-fusion flashinfer-allreduce-fusion-backend
            enable-aiter-allreduce-fusion disable-aiter-allreduce-fusion-in-prefill
            disable-aiter-allreduce-fusion-in-decode enable-two-batch-overlap enable-single-batch-overlap
            tbo-token-distribution-threshold ple-offload-embedding ple-offload-backend ple-offload-dir
            """),
        group(
            "it serves dense models only",
            """
            moe-runner-backend moe-a2a-backend flashinfer-mxfp4-moe-precision enable-fused-moe-sum-all-reduce
            enable-w4a4-mxfp4-megamoe deepep-v2-mode deepep-mode fuseep-mode deepep-dispatcher-output-dtype deepep-config
            flashinfer-a2a-dispatch-type elastic-ep-backend enable-elastic-expert-backup mooncake-ib-device
            enable-waterfill elastic-ep-join-mode elastic-ep-scale-timeout
            disable-flashinfer-cutlass-moe-fp4-allgather enable-paged-experts paged-experts-num-resident
            kt-weight-path kt-method kt-cpuinfer kt-threadpool-count kt-num-gpu-experts
            kt-max-deferred-experts-per-token
            """),
        group(
            "it generates from left to right and does not train",
            "dllm-algorithm dllm-algorithm-config dllm-fdfo rl-on-policy-target"),
    ]
}
