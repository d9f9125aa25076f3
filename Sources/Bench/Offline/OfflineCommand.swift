import ArgumentParser
import JSON
import Models
import Tensors

/// `srt bench offline`: measures this machine's limits and, in the same run, how near a model's steps come to them.
struct OfflineCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "offline",
        abstract: "Measure a model without a server, in ratios to this machine's limits.",
        discussion: """
            Each figure is the median of rounds. A round measures read bandwidth and dot peak next to the work they are \
            compared with, because a shared machine's limits change by the minute.
            """)

    @Argument(help: "Model folders or GGUF files; a folder with only a config.json gets random weights.")
    var modelPaths: [String]

    @OptionGroup var model: ModelOptions

    @Option(help: "Tokens of a prefill.")
    var prompt: Int = 512

    @Option(help: "Decode steps of each kind over all rounds.")
    var steps: Int = 64

    @Option(help: "Positions that each sequence of the batch sweep already has.")
    var context: Int = 128

    @Option(parsing: .upToNextOption, help: "Batch sizes of decode.")
    var batches: [Int] = [1, 2, 4, 8, 16, 32]

    @Option(parsing: .upToNextOption, help: "Positions that the sequence of the context sweep already has.")
    var contexts: [Int] = [128, 1024, 4096, 16384]

    @Option(help: "Sequences of the shared prefix case; 0 leaves it out.")
    var sharers: Int = 16

    @Option(help: "Positions that they have in common; each has 32 more of its own.")
    var sharedPrefix: Int = 1024

    @Option(help: "Rounds, each with its own measurement of the limits.")
    var rounds: Int = 9

    @Option(help: "File for all figures as JSON.")
    var json: String?

    @Option(help: "File for a plot of tokens/s by batch and step time by context, as SVG.")
    var plot: String?

    func validate() throws {
        guard !modelPaths.isEmpty else { throw ValidationError("name at least one model") }
        guard prompt > 0, steps > 0, context > 0, rounds > 0, sharedPrefix > 0, sharers >= 0,
            (batches + contexts).allSatisfy({ $0 > 0 })
        else { throw ValidationError("counts are positive") }
    }

    func run() throws {
        let compute = try model.compute.start(for: model.products)
        let machine = try Machine(compute, dtype: model.dtype, isQuantized: model.weights != .none)
        let plan = WorkPlan(prompt: prompt, shapes: shapes)
        var reports: [OfflineReport] = []
        for path in modelPaths {
            let subject = try Subject(path, options: model, compute: compute, plan: plan)
            print(subject.heading(machine))
            let report = OfflineReport(
                subject.facts(machine),
                Rounds(machine: machine, subject: subject, plan: plan, steps: steps, count: rounds).run())
            print(report.text)
            reports.append(report)
        }
        if let json { try writeFile(json, JSON.encodeToString(.array(reports.map(\.json)))) }
        if let plot { try writeFile(plot, SVG.page(reports.map(\.charts))) }
    }

    /// Every kind of decode step that is timed, each once.
    private var shapes: [DecodeShape] {
        var all = batches.map { DecodeShape(batch: $0, context: context) }
        all += contexts.map { DecodeShape(batch: 1, context: $0) }
        if sharers > 0 {
            all.append(DecodeShape(batch: sharers, context: sharedPrefix + 32, shared: sharedPrefix))
            all.append(DecodeShape(batch: sharers, context: sharedPrefix + 32))
        }
        return all.enumerated().filter { index, shape in !all[..<index].contains(shape) }.map(\.element)
    }
}
