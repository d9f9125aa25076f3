import ArgumentParser
import Models
import Tensors
import Values

/// How a model is loaded and run: the options that `offline` and `accuracy` share.
struct ModelOptions: ParsableArguments {
    @Option(help: "bfloat16, float16 or float32.")
    var dtype: DType = .bfloat16

    @Option(help: "w8a8_int8 or int4; by default weights are in the dtype.")
    var quantization: QuantizationMethod?

    @Option(name: .customLong("int4-group-size"), help: "Inputs that share a scale in int4: 32, 64 or 128.")
    var int4GroupSize = 32

    @Option(name: .customLong("int4-head-bits"), help: "Bits of the output head in int4: 8 or 4.")
    var int4HeadBits = 8

    @Option(name: .customLong("kv-cache-dtype"), help: "Type of the key-value cache: auto, bfloat16, float32 or int8.")
    var kvCacheDType: KVCacheDType = .auto

    @Option(help: "auto, safetensors, gguf or dummy.")
    var loadFormat: LoadFormat = .auto

    @Option(help: "Folder of packed weights, to measure them mapped as a server does; by default they are in memory.")
    var cacheDirectory: String?

    @OptionGroup var compute: ComputeOptions

    func validate() throws {
        guard [32, 64, 128].contains(int4GroupSize) else { throw ValidationError("groups are of 32, 64 or 128") }
        guard [4, 8].contains(int4HeadBits) else { throw ValidationError("the head has 4 or 8 bits") }
    }

    /// How weights are stored.
    var weights: Quantization { Quantization(quantization, groupSize: int4GroupSize, headBits: int4HeadBits) }

    /// All choices in words.
    var settings: String {
        let kind = weights == .none ? "\(dtype)" : "\(dtype) \(weights.name)"
        return kvCacheDType == .auto ? kind : "\(kind), \(kvCacheDType) cache"
    }

    /// Loads a model as the options say, or without any quantization in `reference`.
    ///
    /// With `auto` a folder without weights gets random ones.
    func load(
        _ path: String, reference: DType? = nil, limits: ForwardLimits, compute: Compute
    ) throws -> BenchModel {
        let isRandom = loadFormat == .dummy || (loadFormat == .auto && !Self.hasWeights(path))
        let model = try loadModel(
            LoadOptions(
                ModelSource(
                    path, config: try ModelConfig.load(modelPath: path), dtype: reference ?? dtype,
                    quantization: reference == nil ? weights : .none, loadFormat: isRandom ? .dummy : loadFormat),
                kvCacheDType: reference == nil ? kvCacheDType : .auto,
                cacheDirectory: isRandom ? nil : cacheDirectory, limits: limits, compute: compute))
        return BenchModel(model: model, isRandom: isRandom)
    }

    /// Whether the path holds weights of any format; other faults are for the loader to report.
    private static func hasWeights(_ path: String) -> Bool {
        do {
            _ = try openCheckpoint(path, .auto)
        } catch {
            if case .noWeights = error { return false }
        }
        return true
    }
}

/// A model and whether its weights were made up.
struct BenchModel {
    let model: any LanguageModel
    let isRandom: Bool
}

/// Which kernels run, on which threads.
struct ComputeOptions: ParsableArguments {
    @Option(help: "Threads, the calling one included; by default one for each core.")
    var threads: Int?

    @Option(help: "Instruction set ceiling: scalar, avx2, avx512 or avx512bf16.")
    var isa: KernelISA = .avx512bf16

    @Flag(help: "Leave threads where the system puts them instead of pinning each to a core.")
    var unpinned = false

    func validate() throws {
        guard (threads ?? 1) > 0 else { throw ValidationError("counts are positive") }
    }

    /// Starts the threads, and pins the calling one.
    func start() -> Compute {
        let cores = Compute.availableCores()
        let count = threads ?? cores.count
        let pins = unpinned || count > cores.count ? nil : Array(cores.prefix(count))
        if let first = pins?.first { Compute.pinCallingThread(to: first) }
        return Compute(isa: isa, threads: count, cores: pins)
    }
}

extension DType: ExpressibleByArgument {
    /// The names that help texts show, instead of raw values.
    package static var allValueStrings: [String] { allCases.map { "\($0)" } }

    /// Reads a dtype's name.
    package init?(argument: String) {
        guard let named = Self.allCases.first(where: { "\($0)" == argument }) else { return nil }
        self = named
    }
}

extension LoadFormat: ExpressibleByArgument {}

extension QuantizationMethod: ExpressibleByArgument {}

extension KVCacheDType: ExpressibleByArgument {
    /// Reads a type's name.
    package init?(argument: String) { self.init(word: argument) }
}

extension KernelISA: ExpressibleByArgument {
    /// Reads a level's name.
    package init?(argument: String) { self.init(name: argument) }
}
