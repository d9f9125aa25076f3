import Foundation
import Models
import Tensors
import Testing
import Values

/// A tiny model of Tests/Fixtures that gives vectors, scores or classes, and what the reference says about it.
struct EncoderFixture: Sendable, CustomTestStringConvertible {
    let name: String

    /// Every folder.
    static let all = [
        "bert-mean", "bert-dense", "bert-pairs", "xlmr-cls", "xlmr-pairs", "mpnet-mean", "nomic-mean", "modern-mean",
        "modern-pairs", "gemma-embedding", "qwen3-embedding", "qwen2-reward", "llama-classes",
        "bert-gguf", "nomic-gguf", "internlm2-reward", "llama-attributes", "gemma2-reward",
    ].map(EncoderFixture.init)

    var testDescription: String { name }
    var path: String { Fixture.folder + "/" + name }

    /// A text and its answer: a unit vector, or scores.
    struct Text: Decodable {
        let text: String
        let ids: [Int32]
        let types: [Int32]?
        /// How many of the first ids are the prompt that stands before the text.
        var leading: Int?
        /// Of a sparse vector, the token of each number of the answer.
        var tokens: [Int32]?
        let answer: [Float]
    }

    /// What transformers or sentence-transformers say in float32.
    struct Golden: Decodable {
        let normalized: Bool
        let texts: [Text]

        /// How far an answer may be from the reference.
        var tolerance: Float { normalized ? 1e-4 : 1e-3 }
    }

    func golden() throws -> Golden {
        try JSONDecoder().decode(Golden.self, from: Data(contentsOf: URL(fileURLWithPath: path + "/golden.json")))
    }

    /// Room for all its texts in one step.
    static func limits(_ config: ModelConfig) -> ForwardLimits {
        ForwardLimits(
            rows: 800, logitRows: 16, sequences: 16, slots: 800, positions: min(512, config.derivedContextLength))
    }

    /// Loads it.
    func load(
        dtype: DType = .float32, quantization: Quantization = .none, isa: KernelISA = .avx512bf16, threads: Int = 2,
        task: TaskSettings = TaskSettings()
    ) throws -> any LanguageModel {
        try loadEncoder(path, dtype: dtype, quantization: quantization, isa: isa, threads: threads, task: task)
    }
}

/// Loads any folder for steps of a few texts.
func loadEncoder(
    _ path: String, dtype: DType = .float32, quantization: Quantization = .none, isa: KernelISA = .avx512bf16,
    threads: Int = 2, task: TaskSettings = TaskSettings()
) throws -> any LanguageModel {
    let config = try ModelConfig.load(modelPath: path)
    let source = ModelSource(path, config: config, dtype: dtype, quantization: quantization, task: task)
    return try loadModel(
        LoadOptions(source, limits: EncoderFixture.limits(config), compute: Compute(isa: isa, threads: threads)))
}

extension LanguageModel {
    /// The answers to some texts, computed in one step.
    func answers(_ texts: [EncoderFixture.Text]) -> [[Float]] {
        var input = ForwardInput()
        let hasTypes = texts.contains { $0.types != nil }
        for text in texts {
            let start = input.tokens.count
            let slots = (start..<start + text.ids.count).map(Int32.init)
            input.sequences.append(
                .init(rowStart: start, rowCount: slots.count, slotStart: start, length: slots.count))
            input.slots += slots
            input.writeSlots += slots
            input.tokens += text.ids
            input.positions += text.ids.indices.map(Int32.init)
            if hasTypes { input.tokenTypes += text.types ?? text.ids.map { _ in 0 } }
            input.logitRows.append(Int32(input.tokens.count - 1))
            if task.passesOverPrompt { input.leadingRows.append(Int32(text.leading ?? 0)) }
        }
        let width = task.width
        var numbers = [Float](repeating: .nan, count: texts.count * width)
        numbers.withUnsafeMutableBufferPointer { forward(input, logits: $0.baseAddress!) }
        return texts.indices.map { Array(numbers[$0 * width..<($0 + 1) * width]) }
    }
}

/// A vector of length 1 in the same direction.
func unit(_ vector: [Float]) -> [Float] {
    let length = vector.reduce(0.0) { $0 + Double($1) * Double($1) }.squareRoot()
    return vector.map { Float(Double($0) / length) }
}

/// The largest difference of two vectors' numbers.
func distance(_ a: [Float], _ b: [Float]) -> Float {
    guard a.count == b.count else { return .infinity }
    return zip(a, b).reduce(0) { $1.0.isNaN || $1.1.isNaN ? .infinity : max($0, abs($1.0 - $1.1)) }
}
