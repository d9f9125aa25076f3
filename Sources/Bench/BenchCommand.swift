package import ArgumentParser

/// `srt bench`: measures this machine, models on it, running servers, and what a quantization costs in accuracy.
package struct BenchCommand: ParsableCommand {
    /// Name, help and subcommands.
    package static let configuration = CommandConfiguration(
        commandName: "bench", abstract: "Measure this machine, a model, or a running server.",
        subcommands: [
            OfflineCommand.self, EmbeddingCommand.self, ServingCommand.self, AccuracyCommand.self, MachineCommand.self,
            GrammarCommand.self,
        ])

    /// For the command line parser.
    package init() {}
}
