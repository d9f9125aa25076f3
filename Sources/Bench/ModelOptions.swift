import ArgumentParser
import Models
import Tensors

/// How a model is loaded and run: the options that `offline` and `accuracy` share.
struct ModelOptions: ParsableArguments {
    @Option(help: "bfloat16, float16 or float32.")
    var dtype: DType = .bfloat16

    @Option(help: "auto, safetensors, gguf or dummy.")
    var loadFormat: LoadFormat = .auto

    @Option(help: "Folder of packed weights, to measure them mapped as a server does; by default they are in memory.")
    var cacheDirectory: String?

    @OptionGroup var compute: ComputeOptions

    /// Loads a model in `dtype`, or in the one of the options.
    ///
    /// With `auto` a folder without weights gets random ones.
    func load(
        _ path: String, dtype: DType? = nil, limits: ForwardLimits, compute: Compute
    ) throws -> LoadedModel {
        let isRandom = loadFormat == .dummy || (loadFormat == .auto && !Self.hasWeights(path))
        let model = try loadModel(
            LoadOptions(
                modelPath: path, config: try ModelConfig.load(modelPath: path), dtype: dtype ?? self.dtype,
                loadFormat: isRandom ? .dummy : loadFormat, cacheDirectory: isRandom ? nil : cacheDirectory,
                limits: limits, compute: compute))
        return LoadedModel(model: model, isRandom: isRandom)
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
struct LoadedModel {
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
    /// Reads a dtype's name.
    package init?(argument: String) {
        guard let named = Self.allCases.first(where: { "\($0)" == argument }) else { return nil }
        self = named
    }
}

extension LoadFormat: ExpressibleByArgument {}

extension KernelISA: ExpressibleByArgument {
    /// Reads a level's name.
    package init?(argument: String) { self.init(name: argument) }
}
