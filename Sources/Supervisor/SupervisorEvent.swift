package import Messages

/// Everything that can happen to the supervisor.
package enum SupervisorEvent: Sendable, Equatable {
    /// The socket is open and the run directory is ours: begin.
    case start
    /// A spawn that was ordered worked.
    case spawned(ChildID, generation: UInt64, pid: Int32)
    /// A spawn that was ordered failed.
    case spawnFailed(ChildID, generation: UInt64, reason: String)
    /// A child sent a report.
    case report(ChildID, generation: UInt64, ChildMessage)
    /// A child ended.
    case exited(ChildID, pid: Int32, ChildEnd)
    /// The launcher itself was signalled.
    case signal(StopSignal)
    /// An operator wants a unit (or, with nil, all of them in turn) restarted; `call` names the answer.
    case restart(call: UInt64, RestartUnit?)
    /// The warm-up request ended; nil means that it was answered well.
    case warmupEnded(attempt: Int, failure: String?)
    /// Time went by.
    case tick
}

/// What the launcher finds of a process that has ended.
package struct ChildEnd: Sendable, Equatable {
    package var cause: ExitCause
    /// Why it left, in its own words, if it said so.
    package var words: String?
    /// The last lines it wrote to stderr, oldest first.
    package var lines: [String]

    package init(_ cause: ExitCause, words: String? = nil, lines: [String] = []) {
        self.cause = cause
        self.words = words
        self.lines = lines
    }
}

/// The signals the launcher obeys.
package enum StopSignal: Sendable, Equatable {
    case terminate, interrupt, quit
}

/// What a child can report, without the operator's requests it passes on.
package enum ChildMessage: Sendable, Equatable {
    case hello
    case progress(stage: String, fraction: Double)
    case ready(ModelFacts?)
    case heartbeat(Heartbeat)
    case goodbye(reason: String)
}

/// What the shell around `SupervisorState` has to do, in order.
package enum SupervisorAction: Sendable, Equatable {
    /// Start a process; answered by `.spawned` or `.spawnFailed` before any other event.
    case spawn(ChildID, generation: UInt64)
    /// Send a signal to a process that is certainly still the child's own.
    case kill(ChildID, pid: Int32, signal: KillSignal)
    /// Tell the front to finish within so many seconds.
    case drain(ChildID, seconds: Double)
    /// The process leaves its place to the next incarnation; from now on its pid names it.
    case retire(ChildID, pid: Int32)
    /// Tell a front that left its place to finish, since its successor accepts (`replaced`) or since the server ends.
    case drainLeaving(pid: Int32, seconds: Double, replaced: Bool)
    /// Tell a child to end now.
    case stop(ChildID)
    /// Send the table to every child and write it to the run directory.
    case publish
    /// Send the table, whose heartbeats are newer than at the last change, to one child.
    case refresh(ChildID)
    /// Write a line to the log.
    case log(LogLine)
    /// Send the warm-up request.
    case startWarmup(attempt: Int)
    /// Answer an operator.
    case answer(call: UInt64, success: Bool, message: String)
    /// Everything is over; nothing follows.
    case exit(code: Int32)
}

/// The signals the launcher sends.
package enum KillSignal: Sendable, Equatable { case terminate, kill }

/// One line of the launcher's log.
package struct LogLine: Sendable, Equatable {
    package enum Level: Sendable { case info, warning, error }

    package var level: Level
    package var text: String

    package init(level: Level, text: String) {
        self.level = level
        self.text = text
    }
}
