internal import CPlatform
internal import Glibc

/// Opens what a server needs, in the order in which a fault is cheapest, runs it, and cleans up.
package enum Server {
    /// Runs a server until it ends; the code to exit with. Errors are written to stderr.
    package static func run(_ plan: ServerPlan) -> Int32 {
        let quietest = plan.quietestLevel
        let console = Console { $0.rank < quietest.rank }
        platform_reset_signals()
        let wanted = [SIGTERM, SIGINT, SIGQUIT, SIGHUP, SIGCHLD]
        let signals = platform_signal_descriptor(wanted, Int32(wanted.count))
        platform_become_subreaper()
        // Only now: whoever has seen a line may send a signal.
        for line in plan.openingLines { console.log(line) }
        do {
            let listener = try ListeningSocket(host: plan.host, port: plan.port)
            let directory = try RunDirectory(at: plan.runDirectory, port: listener.port)
            for (name, bytes) in try plan.settingsFiles(listener.port, directory.path) {
                try directory.write(name, bytes)
            }
            console.file = LogFile(directory: directory.path)
            console.log(
                LogLine(
                    level: .info,
                    text: "Listening on \(listener.url(isSecure: plan.isSecure)); the model is being loaded"))
            return try run(plan, console, listener, directory, signals)
        } catch {
            console.log(LogLine(level: .error, text: "\(error)"))
            return code(of: error)
        }
    }

    private static func run(
        _ plan: ServerPlan, _ console: Console, _ listener: consuming ListeningSocket,
        _ directory: consuming RunDirectory,
        _ signals: Int32
    ) throws -> Int32 {
        let loop = try ServerLoop(plan, console: console, listener: listener, directory: directory, signals: signals)
        let code = loop.run()
        loop.cleanUp(keepingState: code == LauncherExit.quit)
        return code
    }

    private static func code(of error: any Error) -> Int32 {
        switch error {
        case is RunDirectoryError: LauncherExit.runDirectory
        case is ListeningError: LauncherExit.cannotListen
        default: LauncherExit.startFailed
        }
    }
}

extension LogLine.Level {
    /// Importance, least first.
    var rank: Int {
        switch self {
        case .info: 0
        case .warning: 1
        case .error: 2
        }
    }
}
