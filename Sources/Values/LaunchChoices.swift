/// The closed sets of words that launch flags take and that more than one part of the server acts on: one type for each
/// choice, so that a new one is a compile error wherever it must be thought of.

/// How the weights of a checkpoint are stored (`--load-format`).
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

/// The type in which a model computes (`--dtype`).
package enum ModelDType: String, Sendable, Codable, CaseIterable {
    /// The checkpoint's own type.
    case auto
    /// IEEE half precision.
    case float16
    /// The upper half of a single.
    case bfloat16
    /// IEEE single precision.
    case float32

    /// The type of that name, SGLang's two short ones included; nil for an unknown name.
    package init?(word: String) {
        switch word {
        case "half": self = .float16
        case "float": self = .float32
        default: self.init(rawValue: word)
        }
    }
}

/// The type of the KV cache (`--kv-cache-dtype`).
package enum KVCacheDType: String, Sendable, Codable, CaseIterable {
    /// The model's own.
    case auto
    /// IEEE single precision.
    case float32
    /// IEEE half precision.
    case float16
    /// The upper half of a single.
    case bfloat16
    /// 8 bits, with a scale for each slot and head: half the memory of `bfloat16`.
    case int8

    /// The type of that name, SGLang's short one of bfloat16 included; nil for an unknown name.
    package init?(word: String) { self.init(rawValue: word == "bf16" ? "bfloat16" : word) }
}

/// How weights are quantized when they are loaded (`--quantization`).
package enum QuantizationMethod: String, Sendable, Codable, CaseIterable {
    /// Weights in 8 bits with a scale for each row; activations in 8 bits with a scale for each token.
    case w8a8Int8 = "w8a8_int8"
    /// Weights in 4 bits with a scale for each group.
    case int4
    /// Weights in the blocks of a GGUF file, as they are.
    case gguf
    /// What a checkpoint of this method stores, as it is.
    case gptq, awq, fp8
    /// What a checkpoint of this method stores, as it is.
    case compressedTensors = "compressed-tensors"

    /// The method that a checkpoint must have been quantized with; nil where weights are quantized at load.
    package var checkpointMethod: String? {
        switch self {
        case .w8a8Int8, .int4: nil
        case .gguf, .gptq, .awq, .fp8, .compressedTensors: rawValue
        }
    }
}

/// How the rows of a text become one vector (`--pooler-type`).
package enum PoolerType: String, Sendable, Codable, CaseIterable {
    /// As the checkpoint says.
    case auto
    /// The first row.
    case cls
    /// The mean of all rows.
    case mean
    /// The last row.
    case last
    /// The largest number of all rows, element by element.
    case max
}

/// Whose rule decides how rows are pooled where no flag does (`--pooling-compat`).
package enum PoolingRule: String, Sendable, Codable, CaseIterable {
    /// The checkpoint's own files.
    case checkpoint
    /// SGLang's table of architectures, whatever the checkpoint's files say.
    case sglang
}

/// Order in which waiting requests are admitted (`--schedule-policy`).
package enum SchedulePolicy: String, Sendable, Codable, CaseIterable {
    /// Longest cached prefix first.
    case lpm
    /// Shuffled anew for each step.
    case random
    /// By arrival.
    case fcfs
    /// Along the prefix tree, depth first, branches with more waiting requests first.
    case dfsWeight = "dfs-weight"
    /// Largest limit of new tokens first.
    case lof
    /// Requests first whose routing key many running ones have.
    case routingKey = "routing-key"
    /// Highest response ratio next: 1 + (prompt tokens computed since arrival) / (own uncached tokens).
    case hrrn
    /// Fewest uncached tokens first.
    case shortestPrefillFirst = "shortest-prefill-first"
}

/// Importance of a log line, in SGLang's words (`--log-level`).
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

/// Which hidden states requests may ask for (`--return-hidden-states-mode`).
package enum HiddenStateChoice: String, Sendable, Codable, CaseIterable {
    /// Of the rows that tokens are chosen from.
    case last
    /// Of the whole prompt too.
    case full
}
