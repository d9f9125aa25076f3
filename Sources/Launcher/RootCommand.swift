internal import ArgumentParser
internal import Bench
internal import Operator

/// `srt`: starts servers and looks after them.
struct RootCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "srt", abstract: "SGLang's runtime for CPU servers.", version: BuildVersion.text,
        subcommands: [
            ServeCommand.self, PsCommand.self, LogsCommand.self, StopCommand.self, RestartCommand.self,
            BenchCommand.self, VersionCommand.self,
        ])
}

/// `srt version`.
struct VersionCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "version", abstract: "Print the version.")

    func run() { print("srt \(BuildVersion.text)") }
}

/// Which release this is.
enum BuildVersion {
    static let text = "0.1.0"
}
