/// The words that SGLang accepts for flags with a closed choice, honoured by srt or not.
enum KnownWords {
    /// Storage formats of checkpoints.
    static let loadFormats = words(
        """
        auto pt safetensors instanttensor npcache dummy sharded_state presharded gguf expert_pack bitsandbytes mistral
        layered flash_rl remote remote_instance fastsafetensors private runai_streamer
        """)

    /// Orders of admission.
    static let schedulePolicies = words(
        "lpm random fcfs dfs-weight lof priority routing-key hrrn shortest-prefill-first")

    /// Ways to quantize weights: SGLang's, and the int4 that only srt has.
    static let quantizations = words(
        """
        awq fp8 mxfp8 gptq gptq_marlin awq_marlin bitsandbytes gguf modelopt modelopt_fp8 modelopt_fp4 nvfp4_online
        modelopt_mixed petit_nvfp4 w8a8_int8 int4 w8a8_fp8 moe_wna16 w4afp8 mxfp4 auto-round auto-round-int8
        compressed-tensors modelslim mxfp_w4a8 quark quark_int4fp8_moe quark_mxfp4 mlx_q4 mlx_q8 unquant humming
        """)

    /// Types of the KV cache: SGLang's, and the int8 that only srt has.
    static let cacheTypes = words("auto bfloat16 bf16 int8 fp8_e5m2 fp8_e4m3 mxfp8 nvfp4 fp4_mx_block16")

    private static let attentionBackends = words(
        """
        triton torch_native flex_attention dsa nsa qsa dsv4 compressed fa3 fa4 flashinfer llada2_cfg_flashinfer flashmla
        trtllm_mla cutedsl_mla tokenspeed_mla trtllm_mha hpc_ops minicpm_flashattn minicpm_flashinfer aiter wave
        intel_amx ascend intel_xpu
        """)

    /// Words by flag name, for the flags that srt does not honour.
    static let table: [String: [String]] = [
        "tokenizer-mode": ["auto", "slow"],
        "tokenizer-backend": ["huggingface", "fastokens"],
        "startup-weight-load-mode": ["serial", "overlap"],
        "radix-eviction-policy": words("lru lfu slru priority tlru"),
        "load-balance-method": words("auto round_robin follow_bootstrap_room total_requests total_tokens"),
        "log-requests-format": ["text", "json"],
        "lora-eviction-policy": ["lru", "fifo"],
        "lora-backend": words("triton csgmv ascend torch_native triton_v2"),
        "speculative-algorithm": words("EAGLE EAGLE3 NEXTN STANDALONE NGRAM DFLASH DSPARK UNO"),
        "speculative-ngram-match-type": ["BFS", "PROB"],
        "attention-backend": attentionBackends,
        "prefill-attention-backend": attentionBackends,
        "decode-attention-backend": attentionBackends,
        "sampling-backend": words("flashinfer pytorch ascend intel_xpu"),
        "expert-balancedness-report-mode": words("off server_log prometheus both"),
        "disaggregation-mode": words("null prefill decode"),
    ]

    private static func words(_ text: String) -> [String] {
        text.split(whereSeparator: \.isWhitespace).map(String.init)
    }

    /// Formats of tool calls.
    static let toolCallParsers = """
        auto
        apertus2509 beam cohere_command4 deepseekv3 deepseekv31 deepseekv32 deepseekv4 deepseekv41 dots
        gemma4 gigachat3 gigachat35 glm glm45 glm47 gpt-oss hermes hunyuan inkling interns1 iquest_q1
        k2_horizon kimi_k2 kimi_k3 lfm2 ling3 llama3 mimo minicpm5 minimax-m2 minimax-m3 mistral muse
        nanbeige poolside_v1 pythonic qwen qwen25 qwen3_coder response_template spark25 step3 step3p5
        trinity
        """.split(whereSeparator: \.isWhitespace).map(String.init)

    /// Formats of thoughts.
    static let reasoningParsers = """
        auto
        apertus2509 beam cohere_command4 deepseek-r1 deepseek-v3 deepseek-v4 deepseek-v41 dots gemma4
        gigachat35 glm45 gpt-oss granite_thinking_parser hunyuan inkling interns1 iquest_q1 k2_horizon kimi
        kimi_k2 kimi_k3 ling3 mimo minimax minimax-append-think minimax-m3 mistral muse nanbeige nemotron_3
        poolside_v1 qwen3 qwen3-thinking response_template step3 step3p5
        """.split(whereSeparator: \.isWhitespace).map(String.init)
}
