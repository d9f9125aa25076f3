import ArgumentParser
import Models
import Tensors

/// Measures this machine's limits and, in the same run, how near a model's decode and prefill come to them.
@main struct Bench: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Measures this machine and models on it, and prints ratios.",
        discussion: """
            Each figure is the median of rounds. A round measures read bandwidth and dot peak next to the work they are \
            compared with, because a shared machine's limits change by the minute.
            """)

    @Argument(help: "Model folders or GGUF files; a folder with only a config.json gets random weights.")
    var modelPaths: [String]

    @Option(help: "bfloat16, float16 or float32.")
    var dtype: String = "bfloat16"

    @Option(help: "w8a8_int8 or int4; by default weights are in the dtype.")
    var quantization: String?

    @Option(help: "Inputs that share a scale in int4: 32, 64 or 128.")
    var groupSize: Int = 64

    @Option(help: "Bits of the output head in int4: 8 or 4.")
    var headBits: Int = 8

    @Option(help: "auto, safetensors, gguf or dummy.")
    var loadFormat: String = "auto"

    @Option(help: "Threads, the calling one included; by default one for each core.")
    var threads: Int?

    @Option(help: "Instruction set ceiling: scalar, avx2, avx512 or avx512bf16.")
    var isa: String = "avx512bf16"

    @Option(help: "Tokens of a prefill.")
    var prompt: Int = 512

    @Option(help: "Decode steps of each batch size.")
    var steps: Int = 64

    @Option(help: "Positions a decoded sequence already has.")
    var context: Int = 128

    @Option(parsing: .upToNextOption, help: "Batch sizes of decode.")
    var batches: [Int] = [1, 4, 8, 16]

    @Option(help: "Rounds, each with its own measurement of the limits.")
    var rounds: Int = 9

    @Option(help: "Folder of packed weights, to measure them mapped as a server does; by default they are in memory.")
    var cacheDirectory: String?

    @Flag(help: "Leave threads where the system puts them instead of pinning each to a core.")
    var unpinned = false

    func validate() throws {
        guard !modelPaths.isEmpty else { throw ValidationError("name at least one model") }
        guard modelDType != nil else { throw ValidationError("dtype `\(dtype)` is not known") }
        guard LoadFormat(rawValue: loadFormat) != nil else {
            throw ValidationError("load format `\(loadFormat)` is not known")
        }
        guard modelQuantization != nil, [32, 64, 128].contains(groupSize), [4, 8].contains(headBits) else {
            throw ValidationError("that quantization is not known")
        }
        guard KernelISA(name: isa) != nil else { throw ValidationError("instruction set `\(isa)` is not known") }
        guard (threads ?? 1) > 0, prompt > 0, steps > 0, context > 0, rounds > 0, batches.allSatisfy({ $0 > 0 }) else {
            throw ValidationError("counts are positive")
        }
    }

    func run() throws {
        guard let dtype = modelDType, let ceiling = KernelISA(name: isa), let format = LoadFormat(rawValue: loadFormat),
            let quantization = modelQuantization
        else { throw ValidationError("unreachable after validate") }
        let cores = Compute.availableCores()
        let count = threads ?? cores.count
        let pins = unpinned || count > cores.count ? nil : Array(cores.prefix(count))
        if let first = pins?.first { Compute.pinCallingThread(to: first) }
        let compute = Compute(isa: ceiling, threads: count, cores: pins)
        guard let machine = Machine(compute, dtype: dtype, quantization: quantization) else {
            throw ValidationError("no memory to measure the bandwidth with")
        }
        for path in modelPaths {
            let subject = try Subject(
                path, format: format, machine: machine, cacheDirectory: cacheDirectory,
                plan: WorkPlan(prompt: prompt, context: context, batches: batches))
            print(subject.heading(machine))
            let results = Rounds(
                machine: machine, subject: subject, batches: batches, prompt: prompt, steps: steps, count: rounds
            ).run()
            print(results.table)
        }
    }

    private var modelQuantization: Quantization? {
        guard let quantization else { return Quantization.none }
        return Quantization(method: quantization, groupSize: groupSize, headBits: headBits)
    }

    private var modelDType: DType? {
        switch dtype {
        case "bfloat16": .bfloat16
        case "float16": .float16
        case "float32": .float32
        default: nil
        }
    }
}
