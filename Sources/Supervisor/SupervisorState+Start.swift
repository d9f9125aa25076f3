internal import Messages

/// The first start: it ends in serving, or with the line that says why not.
extension SupervisorState {
    /// It was told why the first start failed; what follows only clears away.
    var hasStartFailed: Bool { !startFailures.isEmpty }

    /// Whether a death ends the first start. A process that judged its own input and left says something that a restart cannot
    /// mend, and so does memory that does not suffice; a signal may be an accident.
    func endsStart(_ unit: Int, _ cause: ExitCause) -> Bool {
        guard !hasServed, ending == .none, units[unit].phase == .running else { return false }
        return switch cause {
        case .code(let code): code != 0
        case .notStarted, .outOfMemory: true
        case .signal: false
        }
    }

    /// A process has ended the first start.
    mutating func failStart(_ slot: Int, _ end: ChildEnd, _ now: Double) {
        let reason = end.words ?? "\(end.cause)"
        var advice = ""
        if case .outOfMemory = end.cause {
            advice = ". Smaller values of --max-total-tokens, --context-length or --max-running-requests need less"
        }
        endStart("Start failed. \(slots[slot].title): \(reason)\(advice)", because: reason, now)
    }

    /// Ends the first start with one line; everybody else is told to go and has nothing to add.
    mutating func endStart(_ line: String, because reason: String, _ now: Double) {
        log(.error, line)
        startFailures.insert(reason)
        beginStop(hurried: true, code: LauncherExit.startFailed, now)
    }

    /// A process ends after the first start failed: usually because it was told to, or of the same cause. What it says is of interest
    /// only if it is something else.
    mutating func tellOtherFailure(_ slot: Int, _ end: ChildEnd) {
        guard let words = end.words, startFailures.insert(words).inserted else { return }
        log(.error, "Start failed. \(slots[slot].title): \(words)")
    }

    /// Sends the warm-up request once everybody is ready for the first time.
    mutating func warmUpIfDue(_ now: Double) {
        guard !hasServed, ending == .none, warmupAttempt == nil, slots.allSatisfy({ $0.state == .ready }) else {
            return
        }
        guard policy.warmup else { return serve() }
        warmupCount += 1
        warmupAttempt = warmupCount
        warmupFront = slots[units[RestartUnit.front.rawValue].slots.lowerBound].generation
        actions.append(.startWarmup(attempt: warmupCount))
    }

    /// The warm-up request ended; nil means that it was answered well.
    mutating func warmupEnded(_ attempt: Int, _ failure: String?, _ now: Double) {
        guard attempt == warmupAttempt else { return }
        warmupAttempt = nil
        guard ending == .none, !hasServed else { return }
        let front = slots[units[RestartUnit.front.rawValue].slots.lowerBound]
        if failure != nil, front.state != .ready || front.generation != warmupFront {
            // It went down with the front that was to answer it; the next front is asked again.
            return warmUpIfDue(now)
        }
        if let failure {
            return endStart("Initialization failed. warmup error: \(failure)", because: failure, now)
        }
        if slots.allSatisfy({ $0.state == .ready }) { serve() } else { warmUpIfDue(now) }
    }

    private mutating func serve() {
        hasServed = true
        publish()
        log(.info, "The server is fired up and ready to roll!")
    }
}
