import Foundation
import Models
import Tensors
import TestSupport
import Testing
import Values

/// A tiny model folder of Tests/Fixtures.
struct Fixture: Sendable, CustomTestStringConvertible {
    let name: String

    /// Those whose layers every kind of weight and cache, and every level, meets.
    static let usual: [Fixture] = [
        "llama-tied", "llama-untied", "llama-rope-llama3", "llama-rope-linear", "llama-rope-dynamic", "llama-rope-yarn",
        "qwen2-tied", "qwen2-untied", "qwen3-tied", "qwen3-untied", "llama-gguf",
        "qwen2moe", "qwen3moe", "qwen2moe-gguf", "mixtral", "internlm2",
    ].map(Fixture.init)

    /// Those whose layers differ from Llama's.
    static let others: [Fixture] = [
        "gemma2", "gemma3", "gemma3-vision", "gemma4", "gemma4-experts", "gemma4-vision",
        "phi3", "smollm3", "olmo2", "olmo3", "olmoe", "exaone4", "exaone4-whole", "granite", "granitemoe",
        "cohere", "cohere2", "glm4", "starcoder2", "stablelm", "stablelm-parallel", "seed-oss", "ernie45", "ministral3",
        "mistral3-vision", "glm4moe", "ernie45moe", "gpt-oss", "gpt-oss-plain",
    ].map(Fixture.init)

    /// Every model folder.
    static let all = usual + others

    /// A model folder, and a level to run it on.
    struct AtLevel: Sendable, CustomTestStringConvertible {
        let fixture: Fixture
        let isa: KernelISA
        var testDescription: String { "\(fixture.name), \(isa)" }
    }

    /// The usual ones on every level, the others, whose kernels have tests of their own, on the highest.
    static let atLevels: [AtLevel] =
        usual.flatMap { fixture in presentLevels.map { AtLevel(fixture: fixture, isa: $0) } }
        + others.map { AtLevel(fixture: $0, isa: presentLevels.last ?? .scalar) }

    static let folder = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .appendingPathComponent("Fixtures").path

    var testDescription: String { name }
    var path: String { Self.folder + "/" + name }

    /// What transformers says about it.
    func golden() throws -> Golden { try Golden(contentsOf: path + "/golden.json") }

    /// Loads it for small steps.
    func load(
        dtype: DType = .float32, quantization: Quantization = .none, kvCacheDType: KVCacheDType = .auto,
        isa: KernelISA = .avx512bf16, threads: Int = 2, logitRows: Int = 300
    ) throws -> any LanguageModel {
        try loadForTest(
            path, dtype: dtype, quantization: quantization, kvCacheDType: kvCacheDType, isa: isa, threads: threads,
            logitRows: logitRows)
    }
}

/// Instruction set levels of this machine.
let presentLevels: [KernelISA] = [.scalar, .avx2, .avx512, .avx512bf16].filter { $0 <= KernelISA.detect() }

/// Room for the test runs: 16 sequences of up to 256 positions, or one of 512.
let testLimits = ForwardLimits(rows: 300, logitRows: 300, sequences: 16, slots: 4096, positions: 512)

/// Loads any model folder or file for small steps.
func loadForTest(
    _ path: String, dtype: DType = .float32, quantization: Quantization = .none, kvCacheDType: KVCacheDType = .auto,
    isa: KernelISA = .avx512bf16, threads: Int = 2, logitRows: Int = 300, loadFormat: LoadFormat = .auto,
    cacheDirectory: String? = nil, progress: (Double) -> Void = { _ in }
) throws -> any LanguageModel {
    var limits = testLimits
    limits.logitRows = logitRows
    let source = ModelSource(
        path, config: try ModelConfig.load(modelPath: path), dtype: dtype, quantization: quantization,
        loadFormat: loadFormat)
    let options = LoadOptions(
        source, kvCacheDType: kvCacheDType, cacheDirectory: cacheDirectory, limits: limits,
        compute: Compute(isa: isa, threads: threads))
    return try loadModel(options, progress: progress)
}

extension TemporaryFolder {
    /// Copies a fixture into the folder, with changes to the text of its config.json.
    func copy(_ fixture: Fixture, replacing changes: [(String, String)] = []) throws -> String {
        let target = path + "/" + fixture.name
        try FileManager.default.copyItem(atPath: fixture.path, toPath: target)
        let config = target + "/config.json"
        var text = try String(contentsOfFile: config, encoding: .utf8)
        for (old, new) in changes {
            precondition(text.contains(old), "config.json has \(old)")
            text = text.replacingOccurrences(of: old, with: new)
        }
        try text.write(toFile: config, atomically: true, encoding: .utf8)
        return target
    }
}
