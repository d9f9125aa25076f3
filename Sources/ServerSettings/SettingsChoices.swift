/// The closed sets of words that flags take.
extension ServerSettings {
    /// How the weights of a checkpoint are stored.
    package enum LoadFormat: String, Sendable, Codable, CaseIterable {
        /// Told from what lies at the path.
        case auto
        /// A folder with config.json and safetensors files.
        case safetensors
        /// One file with everything in it.
        case gguf
        /// No weights are read: random ones of the right shapes.
        case dummy
    }

    /// The type in which a model computes.
    package enum ModelDType: String, Sendable, Codable, CaseIterable {
        /// The checkpoint's own type.
        case auto
        /// IEEE half precision.
        case float16
        /// The upper half of a single.
        case bfloat16
        /// IEEE single precision.
        case float32
    }

    /// Where sampling parameters come from that a request leaves out.
    package enum SamplingDefaults: String, Sendable, Codable, CaseIterable {
        /// The defaults of the OpenAI interface.
        case openai
        /// The model's generation_config.json.
        case model
    }

    /// Order in which waiting requests are admitted.
    package enum SchedulePolicy: String, Sendable, Codable, CaseIterable {
        /// Longest matching prefix in the cache first.
        case lpm
        /// Shuffled anew for each step.
        case random
        /// First come, first served.
        case fcfs
        /// Along the prefix cache's tree, branches with more waiting requests first.
        case dfsWeight = "dfs-weight"
        /// Largest limit of new tokens first.
        case lof
        /// Requests first whose routing key many running ones have.
        case routingKey = "routing-key"
        /// Highest response ratio next.
        case hrrn
        /// Fewest tokens to compute first.
        case shortestPrefillFirst = "shortest-prefill-first"
    }

    /// Who loses its KV slots first when the pool is full.
    package enum RetractionPolicy: String, Sendable, Codable, CaseIterable {
        /// The request with the least output.
        case length
        /// The request with the lowest priority.
        case priority
    }

    /// How weights are quantized when they are loaded.
    package enum Quantization: String, Sendable, Codable, CaseIterable {
        /// Weights in 8 bits with a scale for each row; activations in 8 bits with a scale for each token.
        case w8a8Int8 = "w8a8_int8"
        /// Weights in 4 bits with a scale for each group.
        case int4
    }

    /// The type of the KV cache.
    package enum KVCacheDType: String, Sendable, Codable, CaseIterable {
        /// The model's own.
        case auto
        /// The upper half of a single.
        case bfloat16
        /// 8 bits with scales.
        case int8
    }

    /// Importance of a log line, in SGLang's words.
    package enum LogLevel: String, Sendable, Codable, CaseIterable {
        /// Everything.
        case debug
        /// What an operator wants to see on a normal day.
        case info
        /// What should be looked at.
        case warning
        /// What went wrong.
        case error
        /// What ended the server.
        case critical
    }

    /// Grammar engines whose names are accepted; none is built in, so requests with a grammar are refused.
    package enum GrammarBackend: String, Sendable, Codable, CaseIterable {
        /// SGLang's default.
        case xgrammar
        /// Grammars are off.
        case none
    }

    /// The most capable instruction set whose kernels may be chosen.
    package enum KernelCeiling: String, Sendable, Codable, CaseIterable {
        /// Plain C.
        case scalar
        /// AVX2, FMA and F16C.
        case avx2
        /// AVX-512 F, BW, VL and DQ.
        case avx512
        /// AVX-512 with bfloat16 dot products.
        case avx512bf16
    }

    /// What the launcher does when a process of the server dies.
    package enum ChildFailurePolicy: String, Sendable, Codable, CaseIterable {
        /// The process is started again.
        case restart
        /// The whole server ends, for another supervisor to start it anew.
        case exit
    }
}
