package import ArgumentParser
internal import Messages

/// `srt restart`: replaces processes of a server and waits until the new ones are ready.
package struct RestartCommand: ParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "restart", abstract: "Replace a process of a server, or all of them one after the other.")

    @OptionGroup package var choice: ServerChoice

    @Argument(help: "http, tokenizer_manager, scheduler, detokenizer (with or without sglang::), or all.")
    package var role: String

    @Option(help: "Seconds to wait for the new processes.")
    package var timeout = 600.0

    package init() {}

    package func validate() throws { try checkSeconds(timeout, of: "--timeout") }

    package func run() throws {
        let server = try choice.resolve()
        let request = OperatorRequest.make {
            $0.call = 1
            $0.restart = role
        }
        guard let answer = try LauncherLine.ask(server, request, within: timeout) else {
            throw OperatorError("no answer from the launcher (pid \(server.pid)) within \(Int(timeout)) s")
        }
        guard answer.success else { throw OperatorError(answer.message) }
        print(answer.message)
    }
}
