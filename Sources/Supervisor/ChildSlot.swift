internal import ChildRuntime
package import Messages

/// Names one place in the table of processes, whoever fills it at the moment.
package struct ChildID: Hashable, Sendable {
    package var role: Role
    /// Tensor-parallel rank; 0 for everything but model workers.
    package var rank: Int

    package init(_ role: Role, rank: Int = 0) {
        self.role = role
        self.rank = rank
    }
}

/// What is started, restarted and stopped together: one process, or all ranks of the model worker.
///
/// The order of the cases is the order in which a server stops: first nothing new comes in, then what is left drains out.
package enum RestartUnit: Int, CaseIterable, Sendable, Comparable {
    case front, tokenizerManager, workers, detokenizer

    /// The role of the unit's processes.
    package var role: Role {
        switch self {
        case .front: .http
        case .tokenizerManager: .tokenizerManager
        case .workers: .scheduler
        case .detokenizer: .detokenizer
        }
    }

    /// The unit that a process belongs to; nil for the launcher, which nobody restarts.
    package init?(_ role: Role) {
        switch role {
        case .http: self = .front
        case .tokenizerManager: self = .tokenizerManager
        case .scheduler: self = .workers
        case .detokenizer: self = .detokenizer
        case .launcher, .UNRECOGNIZED: return nil
        }
    }

    /// The unit an operator means: a title with or without its prefix, or a short name.
    package init?(operatorName name: String) {
        var word = name.lowercased()
        if word.hasPrefix("sglang::") { word.removeFirst("sglang::".count) }
        switch word {
        case "http", "front": self = .front
        case "tokenizer_manager", "tokenizer": self = .tokenizerManager
        case "scheduler", "worker", "workers", "model_worker": self = .workers
        case "detokenizer": self = .detokenizer
        default:
            guard word.hasPrefix("scheduler_tp"), Int(word.dropFirst("scheduler_tp".count)) != nil else { return nil }
            self = .workers
        }
    }

    package static func < (left: RestartUnit, right: RestartUnit) -> Bool { left.rawValue < right.rawValue }
}

/// One row of the launcher's table: a place and the incarnation that fills it.
package struct ChildSlot: Sendable, Equatable {
    /// Whether the place has a process.
    package enum Process: Sendable, Equatable {
        case none
        /// A spawn was ordered; its outcome has not been reported.
        case starting
        case running(pid: Int32)
    }

    package let id: ChildID
    /// What `ps` shows.
    package let title: String
    package internal(set) var process = Process.none
    /// Which incarnation, counted from 1; 0 before the first.
    package internal(set) var generation: UInt64 = 0
    package internal(set) var state = ProcessState.stopped
    /// When `state` began, in seconds of the monotonic clock.
    package internal(set) var since = 0.0
    /// Incarnations after the first.
    package internal(set) var restarts = 0
    package internal(set) var lastExit: ExitRecord?
    package internal(set) var heartbeat: Heartbeat?
    /// Last sign of life of the heartbeat thread (or, before the first, of the start).
    package internal(set) var heardAt = 0.0
    /// Last sign of advance during start-up: spawn, hello or progress.
    package internal(set) var advancedAt = 0.0
    /// No heartbeat for longer than the policy allows for a healthy process.
    package internal(set) var isLate = false
    package internal(set) var stage = ""
    package internal(set) var fraction = 0.0
    /// Why the process said it leaves.
    var goodbye: String?
    /// Why the launcher killed it, if it did.
    var killReason: String?
    /// It was killed because it hung at its own work.
    var hung = false

    /// An empty place.
    package init(_ id: ChildID, size: Int) {
        self.id = id
        title = ChildIdentity.title(id.role, rank: id.rank, size: size)
    }

    /// Whether a process is there or about to be.
    package var isOccupied: Bool { process != .none }

    /// The pid, when there is a process.
    package var pid: Int32? {
        guard case .running(let pid) = process else { return nil }
        return pid
    }
}

/// How an incarnation ended.
package struct ExitRecord: Sendable, Equatable {
    package var cause: ExitCause
    /// Seconds since 1970.
    package var time: Double
    /// The cause in words.
    package var reason: String
    /// The last lines it wrote to stderr, oldest first.
    package var lines: [String]
    /// It failed at what it was doing; false when it was killed from outside, ended with its group, or told to end.
    package var isOwnFault: Bool
}
