internal import ChildRuntime
internal import Glibc

/// How the operating system says that a process ended.
package enum ExitCause: Sendable, Equatable, CustomStringConvertible {
    case code(Int32)
    case signal(Int32)
    /// The kernel ended it with SIGKILL, since memory was short; with the bytes that the control group allows, where it sets a limit.
    case outOfMemory(limit: UInt64?)
    /// It never ran: the reason why it could not be started.
    case notStarted(String)

    /// Reads a wait status.
    package init(waitStatus status: Int32) {
        let signal = status & 0x7f
        self = signal == 0 ? .code((status >> 8) & 0xff) : .signal(signal)
    }

    /// Somebody else ended it: a signal that programs send each other, not one that they bring on themselves; or another rank
    /// did not come, whose own end or hang says why.
    package var isFromOutside: Bool {
        if self == .code(ChildIdentity.missingRankExit) { return true }
        guard case .signal(let number) = self else { return false }
        return [SIGKILL, SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGALRM].contains(number)
    }

    package var description: String {
        switch self {
        case .code(let code): "exit code \(code)"
        case .signal(let number): "killed by \(Self.signalName(number))"
        case .outOfMemory(let limit?):
            "out of memory: killed by the kernel at the control group's limit of \(limit >> 20) MiB"
        case .outOfMemory(nil): "out of memory: killed by the kernel"
        case .notStarted(let reason): "could not be started: \(reason)"
        }
    }

    /// The name of a signal, e.g. `SIGKILL`.
    package static func signalName(_ number: Int32) -> String { signalNames[number] ?? "signal \(number)" }

    private static let signalNames: [Int32: String] = [
        SIGHUP: "SIGHUP", SIGINT: "SIGINT", SIGQUIT: "SIGQUIT", SIGILL: "SIGILL", SIGTRAP: "SIGTRAP",
        SIGABRT: "SIGABRT",
        SIGBUS: "SIGBUS", SIGFPE: "SIGFPE", SIGKILL: "SIGKILL", SIGUSR1: "SIGUSR1", SIGSEGV: "SIGSEGV",
        SIGUSR2: "SIGUSR2",
        SIGPIPE: "SIGPIPE", SIGALRM: "SIGALRM", SIGTERM: "SIGTERM", SIGXCPU: "SIGXCPU", SIGXFSZ: "SIGXFSZ",
        SIGSYS: "SIGSYS",
    ]
}

/// With which code the launcher ends; documented in Docs/Operations.md.
package enum LauncherExit {
    /// Stopped because it was asked to.
    package static let stopped: Int32 = 0
    /// A process could not start, its model is unusable, or the warm-up failed.
    package static let startFailed: Int32 = 1
    /// The command line makes no sense.
    package static let usage: Int32 = 2
    /// A process failed and `--on-child-failure exit` was given.
    package static let childFailed: Int32 = 3
    /// The run directory cannot be made, or another server owns it.
    package static let runDirectory: Int32 = 73
    /// The address cannot be listened on (the value of EADDRINUSE, the most frequent reason).
    package static let cannotListen: Int32 = 98
    /// Stopped by SIGQUIT.
    package static let quit: Int32 = 131
}
