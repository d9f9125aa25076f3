import ServerSettings
import Testing

@Suite struct UnservedFlagTests {
    @Test(arguments: [
        "--dp-size 2", "--data-parallel-size 2",
        "--pp-size 2", "--nnodes 2", "--node-rank 1",
        "--nccl-init-addr h:1", "--device cuda", "--device=npu", "--load-format pt", "--load-format bitsandbytes",
        "--quantization bitsandbytes", "--kv-cache-dtype fp8_e5m2", "--schedule-policy priority",
        "--int4-group-size 48",
        "--enable-lora", "--lora-paths a b=c", "--max-lora-rank 8", "--grpc-mode",
        "--speculative-algorithm NGRAM", "--speculative-draft-model x", "--disaggregation-mode prefill",
        "--moe-a2a-backend deepep", "--enable-strict-thinking", "--tool-call-parser beam", "--crash-dump-folder d",
        "--int4-head-bits 5", "--numa-node 0 1",
        "--enable-watermark", "--kt-weight-path x", "--no-dllm-fdfo", "--revision main",
        "--weight-cache-mode on", "--enable-hisparse",
        "--sidecar a b", "--use-ray", "--enable-multimodal",
    ])
    func refusesWhatItCannotServe(_ line: String) throws {
        let command = CommandLine("--model m " + line)
        let failure = try #require(command.failure, "\(command.outcome)")
        #expect(failure.hasPrefix("error: --"))
        #expect(failure.contains(" is not supported by srt: "))
        #expect(failure.split(separator: "\n").count == 1)
    }

    @Test func namesTheFlagAndItsValue() throws {
        let pipeline = try #require(CommandLine("--model m --pp-size 2").failure)
        #expect(pipeline.hasPrefix("error: --pp-size 2 is not supported by srt: a model is not cut into stages"))
        let quantization = try #require(CommandLine("--model m --quantization modelopt").failure)
        #expect(
            quantization.hasPrefix(
                "error: --quantization modelopt is not supported by srt: Invalid quantization method on CPU. "
                    + "Available methods: ['w8a8_int8', 'int4', 'gguf', 'gptq', 'awq', 'fp8', 'compressed-tensors']"))
        let policy = try #require(CommandLine("--model m --schedule-policy priority").failure)
        #expect(policy.contains("use --enable-priority-scheduling with fcfs or lof"))
    }

    @Test(arguments: [
        "--schedule-low-priority-values-first", "--default-priority-value 3",
        "--priority-scheduling-preemption-threshold 4", "--disable-priority-preemption",
    ])
    func saysWhatNeedsPriorityScheduling(_ flag: String) throws {
        let warnings = try #require(CommandLine("--model m " + flag).warnings)
        #expect(warnings.count == 1 && warnings[0].hasSuffix("has no effect without --enable-priority-scheduling"))
        #expect(CommandLine("--model m --enable-priority-scheduling " + flag).warnings == [])
    }

    @Test func keepsSecretsOutOfErrorsAndReports() throws {
        let line = CommandLine("--model m --api-key hush-hush --admin-api-key=hush-hush")
        let settings = try #require(line.settings)
        #expect(settings.launchCommand == "--model m --api-key *** --admin-api-key=***")
        #expect(!settings.argumentLine.contains("hush"))
        #expect(settings.argumentLine.contains("api_key='***', admin_api_key='***'"))
    }

    @Test(arguments: [
        "--dp-size 1", "--pp-size 1", "--ep-size 1", "--nnodes 1", "--node-rank 0", "--device cpu", "--device auto",
        "--disaggregation-mode null", "--moe-a2a-backend none", "--kv-cache-dtype auto", "--page-size 1",
        "--tokenizer-worker-num 1", "--radix-eviction-policy lru", "--retraction-policy length",
        "--weight-cache-mode off",
        "--grammar-backend xgrammar", "--grammar-backend outlines", "--log-requests-level 2", "--sm-group-num 8",
        "--schedule-conservativeness 1.0",
        "--cpu-offload-gb 0", "--tokenizer-mode auto", "--model-impl auto", "--no-lora-strict-loading",
        "--tbo-token-distribution-threshold 0.48", "--sleep-on-idle", "--enable-deterministic-inference",
        "--stream-interval 1", "--hicache-ratio 2", "--fastapi-root-path=", "--trace-modules request",
        "--enable-ssl-refresh",
    ])
    func takesHarmlessDefaultsSilently(_ line: String) {
        let command = CommandLine("--model m " + line)
        #expect(command.warnings == [], "\(command.outcome)")
    }

    @Test(arguments: [
        "--trust-remote-code", "--attention-backend intel_amx", "--attention-backend=torch_native",
        "--model-impl sglang",
        "--sampling-backend pytorch", "--disable-cuda-graph", "--disable-overlap-schedule", "--enable-torch-compile",
        "--cuda-graph-bs-decode 1 2 4", "--context-bucket 200k", "--enable-hicache", "--hicache-size 4",
        "--model-checksum",
        "--model-checksum abc", "--mem-fraction-static 0.9 --enable-mis", "--load-balance-method round_robin",
        "--lora-backend triton", "--enable-http2", "--nccl-port 5", "--gc-threshold 1 2 3",
        "--scheduler-recv-interval 2",
        "--enable-metrics-for-all-schedulers", "--cuda-graph-max-bs 4", "--cuda-graph-bs 1 2", "--enable-ep-moe",
        "--max-micro-batch-size 2",
        "--hybrid-kvcache-ratio", "--hybrid-kvcache-ratio 0.5", "--stream-output", "--impl auto",
        "--enable-tf32-matmul",
        "--trust-remote-code --trust-remote-code", "--load-balance-method total_tokens",
        "--model-loader-extra-config {\"a\":1}", "--enable-dp-attention", "--warmups a,b",
        "--ep-size 2", "--ep 2", "--expert-parallel-size 2", "--enable-custom-logit-processor",
        "--tokenizer-worker-num 2",
        "--detokenizer-worker-num 2", "--radix-eviction-policy lfu", "--soft-watchdog-timeout 5",
        "--num-continuous-decode-steps 2", "--enable-mixed-chunk", "--enable-weights-cpu-backup",
        "--disable-piecewise-cuda-graph", "--piecewise-cuda-graph-max-tokens 512",
    ])
    func warnsOnceOfWhatHasNoEffect(_ line: String) throws {
        let command = CommandLine("--model m " + line)
        let warnings = try #require(command.warnings, "\(command.outcome)")
        #expect(warnings.count == 1)
        #expect(warnings.allSatisfy { $0.hasPrefix("--") && !$0.hasSuffix(".") })
    }

    @Test func followsRenamedFlags() {
        #expect(CommandLine("--model m --stream-output").settings?.incrementalStreamingOutput == true)
        #expect(CommandLine("--model m --impl transformers").warnings?.count == 2)
    }

    @Test(arguments: RecognisedFlags.names)
    func recognisesEveryFlagOfSGLang(_ name: String) {
        // With a value or without: one of the two must be understood as this flag.
        let outcomes = [["--" + name], ["--" + name, "1"]].map { CommandLine(words: ["--model", "m"] + $0) }
        #expect(
            outcomes.contains { command in
                !(command.failure ?? "").contains("unrecognized") && !(command.failure ?? "").contains("ambiguous")
            })
    }
}
