import ArgumentParser
import JSON
import Models
import Tensors
import TokenizerSource
import Tokenizers

/// `srt bench accuracy`: what a dtype or a quantization does to a model's predictions, on a text.
struct AccuracyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "accuracy",
        abstract: "Measure perplexity on a text, and agreement with a run in a reference dtype.",
        discussion: """
            The text is cut into windows, and every token of a window but the first is predicted from those before it in \
            the window. The reference runs beside it on the same windows, without any quantization.
            """)

    @Argument(help: "Model folder or GGUF file, with its tokenizer.")
    var modelPath: String

    @OptionGroup var model: ModelOptions

    @Option(help: "The text.")
    var text: String

    @Option(help: "Tokens of a window.")
    var window: Int = 512

    @Option(help: "Tokens of the text that are used, in whole windows.")
    var tokens: Int = 20480

    @Option(help: "What to compare with: bfloat16, float16, float32 or none.")
    var reference: Reference = .dtype(.bfloat16)

    @Option(help: "Prompts that both go on from greedily; each is half a window.")
    var prompts: Int = 16

    @Option(help: "Tokens of each greedy continuation.")
    var greedyTokens: Int = 64

    @Option(help: "File for all figures as JSON.")
    var json: String?

    /// What the model is compared with.
    enum Reference: ExpressibleByArgument {
        case none
        case dtype(DType)

        init?(argument: String) {
            if argument == "none" {
                self = .none
            } else if let name = DTypeName(argument: argument) {
                self = .dtype(name.dtype)
            } else {
                return nil
            }
        }

        var defaultValueDescription: String {
            switch self {
            case .none: "none"
            case .dtype(let dtype): "\(dtype)"
            }
        }
    }

    func validate() throws {
        guard window >= 4, tokens >= window, prompts > 0, greedyTokens > 0 else {
            throw ValidationError("a window has at least 4 tokens, and there is at least one; counts are positive")
        }
    }

    func run() throws {
        let ids = try openTokenizer(path: modelPath).encode(try readFile(text), addSpecialTokens: false)
        let windows = (0..<min(tokens, ids.count) / window).map { Array(ids[$0 * window..<($0 + 1) * window]) }
        guard windows.count > 0 else { throw BenchFailure("\(text) has only \(ids.count) tokens") }
        let compute = try model.compute.start(for: model.products)
        let limits = ForwardLimits(
            rows: window, logitRows: min(window, 64), sequences: 1, slots: window + greedyTokens,
            positions: window + greedyTokens)
        let subject = try Reader(try model.load(modelPath, limits: limits, compute: compute).model, compute: compute)
        var other: Reader?
        if case .dtype(let dtype) = reference {
            other = try Reader(
                try model.load(modelPath, reference: dtype, limits: limits, compute: compute).model, compute: compute)
        }
        let report = measure(subject, against: other, windows: windows)
        print(report.text)
        if let json { try writeFile(json, JSON.encodeToString(report.json)) }
    }

    private func measure(_ subject: Reader, against other: Reader?, windows: [[Int32]]) -> AccuracyReport {
        var report = AccuracyReport(
            model: modelPath, settings: model.settings, reference: reference.defaultValueDescription,
            window: window, hasReference: other != nil)
        for ids in windows {
            subject.read(ids)
            other?.read(ids)
            for start in stride(from: 0, to: window - 1, by: subject.block) {
                let rows = start..<min(start + subject.block, window - 1)
                let predictions = subject.predictions(rows, next: ids)
                let expected = other?.predictions(rows, next: ids)
                report.take(predictions, expected, divergences: other.map { $0.divergences(from: subject) } ?? [])
            }
        }
        guard let other else { return report }
        for ids in windows.prefix(prompts) {
            let prompt = Array(ids.prefix(window / 2))
            report.takeContinuation(
                subject.continuation(of: prompt, tokens: greedyTokens),
                expected: other.continuation(of: prompt, tokens: greedyTokens))
        }
        return report
    }
}
