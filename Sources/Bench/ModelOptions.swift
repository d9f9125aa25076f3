import ArgumentParser
import Glibc
import Models
import Tensors
import Values

/// How a model is loaded and run: the options that `offline` and `accuracy` share.
struct ModelOptions: ParsableArguments {
    @Option(name: .customLong("dtype"), help: "Type to compute in.")
    var dtypeName = DTypeName(.bfloat16)
    /// Type to compute in.
    var dtype: DType { dtypeName.dtype }

    @Option(help: "How weights are quantized; by default they are in the dtype.")
    var quantization: QuantizationMethod?

    @Option(name: .customLong("int4-group-size"), help: "Inputs that share a scale in int4: 32, 64 or 128.")
    var int4GroupSize = 32

    @Option(name: .customLong("int4-head-bits"), help: "Bits of the output head in int4: 8 or 4.")
    var int4HeadBits = 8

    @Option(name: .customLong("kv-cache-dtype"), help: "Type of the key-value cache.")
    var kvCacheDType: KVCacheDType = .auto

    @Option(help: "What lies at the path.")
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

    /// What its products are made of.
    var products: ProductKind { ProductKind(dtype, isQuantized: weights != .none) }

    /// All choices in words.
    var settings: String {
        let kind = weights == .none ? "\(dtype)" : "\(dtype) \(weights.name)"
        return kvCacheDType == .auto ? kind : "\(kind), \(kvCacheDType) cache"
    }

    /// Loads a model as the options say, or without any quantization in `reference`.
    ///
    /// With `auto` a folder without weights gets random ones.
    func load(
        _ path: String, reference: DType? = nil, task: TaskSettings = TaskSettings(), limits: ForwardLimits,
        compute: Compute
    ) throws -> BenchModel {
        let isRandom = loadFormat == .dummy || (loadFormat == .auto && !Self.hasWeights(path))
        let model = try loadModel(
            LoadOptions(
                ModelSource(
                    path, config: try ModelConfig.load(modelPath: path), dtype: reference ?? dtype,
                    quantization: reference == nil ? weights : .none, loadFormat: isRandom ? .dummy : loadFormat,
                    task: task),
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

    @Option(help: "Most capable kernels; SRT_KERNEL_ISA does the same (default: the fastest here, as in a server).")
    var isa: KernelISA?

    @Flag(help: "Leave threads where the system puts them instead of pinning each to a core.")
    var unpinned = false

    func validate() throws {
        guard (threads ?? 1) > 0 else { throw ValidationError("counts are positive") }
        _ = try ceiling
    }

    /// What the option or the environment asks for.
    private var ceiling: KernelISA? {
        get throws {
            if let isa { return isa }
            guard let word = getenv("SRT_KERNEL_ISA").map({ String(cString: $0) }), !word.isEmpty else { return nil }
            if let level = KernelISA(rawValue: word) { return level }
            let choices = KernelISA.allCases.map(\.name).joined(separator: ", ")
            throw ValidationError("SRT_KERNEL_ISA is one of \(choices), not `\(word)`")
        }
    }

    /// Starts the threads, and pins the calling one; the kernels are those asked for, or the fastest of this machine for
    /// such products. Without `products` they are the most capable.
    func start(for products: ProductKind?) throws -> Compute {
        var level = try ceiling
        if level == nil, let products, let rates = KernelRates.measured() {
            level = rates.fastest(for: products)
            print("\(products.rawValue) products on a thread of each rung: \(rates.comparison(for: products))")
        }
        let cores = Compute.availableCores()
        let count = threads ?? cores.count
        let pins = unpinned || count > cores.count ? nil : Array(cores.prefix(count))
        if let first = pins?.first { Compute.pinCallingThread(to: first) }
        return Compute(isa: level ?? .avx512bf16, threads: count, cores: pins)
    }
}

/// A dtype on a command line, by its name: the parser would show the raw values of an enum in its help.
struct DTypeName: ExpressibleByArgument {
    let dtype: DType

    init(_ dtype: DType) { self.dtype = dtype }

    init?(argument: String) {
        guard let named = DType.allCases.first(where: { "\($0)" == argument }) else { return nil }
        dtype = named
    }

    static var allValueStrings: [String] { DType.allCases.map { "\($0)" } }

    var defaultValueDescription: String { "\(dtype)" }
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
