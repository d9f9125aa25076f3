internal import ArgumentParser
internal import CPlatform
internal import Glibc
internal import ServerSettings
internal import Supervisor
internal import Values

/// `srt launch_server`: starts a server and stays with it.
struct ServeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "launch_server", abstract: "Start a server (flags as SGLang's; see launch_server --help).",
        aliases: ["serve"])

    /// Left to the settings' own parser, which knows SGLang's rules.
    @Argument(parsing: .captureForPassthrough)
    var arguments: [String] = []

    func run() throws {
        switch ServerSettings.parse(arguments, environment: Self.environment(), readFile: Self.text(ofFile:)) {
        case .help(let text):
            print(text)
        case .failure(let text, let code):
            var text = text
            text.withUTF8 { _ = write(STDERR_FILENO, $0.baseAddress, $0.count) }
            throw ExitCode(code)
        case .settings(let settings, let warnings):
            // The arguments were read above; the title takes their place in memory.
            platform_set_title(CommandLine.argc, CommandLine.unsafeArgv, "sglang::launcher")
            raiseDescriptorLimit()
            throw ExitCode(Server.run(ServerPlan(for: settings, warnings: warnings)))
        }
    }

    private static func environment() -> [String: String] {
        var variables: [String: String] = [:]
        var next = environ
        while let entry = next.pointee {
            let pair = String(cString: entry).split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            if pair.count == 2 { variables[String(pair[0])] = String(pair[1]) }
            next += 1
        }
        return variables
    }

    private static func text(ofFile path: String) throws -> String {
        guard let bytes = readWholeFile(path) else { throw ValidationError("cannot read \(path)") }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Each connection is a descriptor; children inherit the limit.
    private func raiseDescriptorLimit() {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0, limit.rlim_cur < 65535 else {
            return
        }
        limit.rlim_cur = min(limit.rlim_max, 65535)
        setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    }
}
