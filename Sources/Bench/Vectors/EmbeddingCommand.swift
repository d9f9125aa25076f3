import ArgumentParser
import Models
import Tensors
import Values

/// `srt bench embedding`: how many texts a second become vectors or scores without a server, and how near the products of
/// that come to what the processor can do.
struct EmbeddingCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "embedding", abstract: "Measure a model that gives vectors or scores, without a server.",
        discussion: """
            Each figure is the median of rounds, of which each measures the dot peak before and after the texts. \
            Operations are those of the layers' products; attention and what else a text needs count for nothing.
            """)

    @Argument(help: "A model folder or GGUF file; a folder with only a config.json gets random weights.")
    var modelPath: String

    @OptionGroup var model: ModelOptions

    @Flag(help: "Take vectors of a model that predicts tokens.")
    var isEmbedding = false

    @Option(help: "Texts of a round.")
    var texts = 64

    @Option(help: "Tokens of each text.")
    var tokens = 128

    @Option(parsing: .upToNextOption, help: "Tokens of a step at most; several are measured one after the other.")
    var rows: [Int] = [8192]

    @Option(help: "Rounds for each of them.")
    var rounds = 15

    func validate() throws {
        guard texts > 0, tokens > 0, rounds > 0, !rows.isEmpty, rows.allSatisfy({ $0 >= tokens }) else {
            throw ValidationError("counts are positive, and a step holds a text")
        }
    }

    func run() throws {
        let compute = try model.compute.start(for: model.products)
        let machine = try Machine(compute, dtype: model.dtype, isQuantized: model.weights != .none)
        let most = rows.max() ?? tokens
        let limits = ForwardLimits(
            rows: most, logitRows: most / tokens, sequences: most / tokens, slots: most, positions: tokens)
        let loaded = try model.load(
            modelPath, task: TaskSettings(isEmbedding: isEmbedding), limits: limits, compute: compute)
        let subject = try TextsSubject(loaded.model, tokens: tokens)
        print(
            "\(modelPath) (\(loaded.model.config.architecture), \(model.settings)\(loaded.isRandom ? ", random weights" : "")), "
                + "\(compute.isa.name), \(compute.threads) threads: \(texts) texts of \(tokens) tokens")
        for rows in rows {
            var series = Series(amount: subject.operations(of: texts) / 1e9)
            _ = subject.seconds(of: texts, rows: rows)
            for _ in 0..<rounds {
                let before = machine.dotPeak()
                let seconds = subject.seconds(of: texts, rows: rows)
                series.add(seconds: seconds, limit: (before + machine.dotPeak()) / 2)
            }
            let seconds = median(series.seconds)
            print(
                "steps of \(rows) tokens: \(decimal(Double(texts) / seconds, 1)) texts/s, "
                    + "\(decimal(1e3 * seconds, 1)) ms a round, \(decimal(series.amount / seconds, 0)) GFLOP/s, "
                    + "\(decimal(100 * median(series.ratios), 0)) % of the dot peak")
        }
    }
}

/// A loaded model and texts of one length.
struct TextsSubject {
    private let model: any LanguageModel
    private let tokens: Int
    private let answers: AlignedBuffer

    /// Reserves memory for the answers of a step.
    init(_ model: any LanguageModel, tokens: Int) throws {
        let byteCount = model.limits.logitRows * model.task.width * MemoryLayout<Float>.size
        guard let answers = AlignedBuffer(byteCount: byteCount) else {
            throw CheckpointError.outOfMemory(purpose: "the answers", byteCount: byteCount)
        }
        self.model = model
        self.tokens = tokens
        self.answers = answers
    }

    /// Operations of the layers' products for so many texts.
    func operations(of texts: Int) -> Double { 2 * Double(model.report.layerParameters) * Double(texts * tokens) }

    /// Seconds that so many texts take in steps of at most `rows` tokens.
    func seconds(of texts: Int, rows: Int) -> Double {
        let each = rows / tokens
        let steps = stride(from: 0, to: texts, by: each).map { step(texts: min(each, texts - $0)) }
        let clock = ContinuousClock()
        let start = clock.now
        for step in steps { model.forward(step, logits: answers.bound(to: Float.self)) }
        return (clock.now - start) / .seconds(1)
    }

    private func step(texts: Int) -> ForwardInput {
        var input = ForwardInput()
        for text in 0..<texts {
            let start = text * tokens
            input.sequences.append(.init(rowStart: start, rowCount: tokens, slotStart: start, length: tokens))
            for i in 0..<tokens {
                input.tokens.append(Int32(((start + i) * 7919 + 13) % model.config.vocabularySize))
                input.positions.append(Int32(i))
                input.slots.append(Int32(start + i))
            }
            input.logitRows.append(Int32(start + tokens - 1))
        }
        input.writeSlots = input.slots
        return input
    }
}
