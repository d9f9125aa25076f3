internal import Messages

/// Signals, draining and the ordered stop.
extension SupervisorState {
    mutating func obey(_ signal: StopSignal, _ now: Double) {
        switch (signal, ending) {
        case (.quit, _):
            log(.error, "SIGQUIT received. Stopping at once; the state is in state.json")
            beginStop(hurried: true, code: LauncherExit.quit, now)
            for slot in slots.indices where slots[slot].isOccupied { kill(slot, .kill) }
            killLeaving(.kill)
        case (.terminate, .none):
            beginDrain(now)
        case (.interrupt, .none):
            log(.info, "SIGINT received. Shutting down...")
            beginStop(hurried: !hasServed, code: LauncherExit.stopped, now)
        case (.terminate, .draining(let until)) where now < until:
            // Streams get their last frame; whoever signals once more does not wait for that.
            log(.info, "second SIGTERM received. Draining is cut short")
            ending = .draining(until: now)
            let front = units[RestartUnit.front.rawValue].slots.lowerBound
            actions.append(.drain(slots[front].id, seconds: 0))
            drainLeaving(seconds: 0)
        case (_, .draining):
            log(.info, "\(signal == .interrupt ? "SIGINT" : "third SIGTERM") received. Draining is cut short")
            beginStop(hurried: false, code: LauncherExit.stopped, now)
        case (_, .stopping(hurried: false)):
            log(.warning, "signalled again. Killing what is left")
            beginStop(hurried: true, code: exitCode, now)
        case (_, .stopping(hurried: true)), (_, .over):
            break
        }
    }

    private mutating func beginDrain(_ now: Double) {
        let front = units[RestartUnit.front.rawValue].slots.lowerBound
        guard hasServed, slots[front].state == .ready || !leaving.isEmpty else {
            log(.info, "SIGTERM received. Shutting down...")
            return beginStop(hurried: !hasServed, code: LauncherExit.stopped, now)
        }
        log(.info, "SIGTERM received. Draining requests and shutting down...")
        failAllRestartCalls("the server is stopping")
        ending = .draining(until: now + policy.drainTimeout)
        // One that starts has nothing to finish, unlike the one that it was to replace.
        if slots[front].state == .ready {
            actions.append(.drain(slots[front].id, seconds: policy.drainTimeout))
        } else {
            kill(front, .terminate)
        }
        if slots[front].isOccupied { setState(front, .draining, now) }
        publish()
        drainLeaving(seconds: policy.drainTimeout)
    }

    /// The front has answered its last request; the server stops when those that it replaced have, too.
    mutating func endDrainWhenDeserted(_ now: Double) {
        let front = units[RestartUnit.front.rawValue].slots.lowerBound
        guard case .draining = ending, leaving.isEmpty, !slots[front].isOccupied || slots[front].goodbye != nil else {
            return
        }
        beginStop(hurried: false, code: exitCode, now)
    }

    /// Ends the drain when the front took longer than it was given.
    mutating func advanceDrain(_ now: Double) {
        guard case .draining(let until) = ending, now >= until + policy.drainMargin else { return }
        log(.warning, "the front has not finished within the drain time")
        beginStop(hurried: false, code: exitCode, now)
    }

    /// Starts the stop, or hurries one that is under way; the first exit code stays unless a worse one comes.
    mutating func beginStop(hurried: Bool, code: Int32, _ now: Double) {
        if case .stopping(let before) = ending {
            if exitCode == LauncherExit.stopped { exitCode = code }
            guard hurried, !before else { return }
        } else {
            exitCode = code
            failAllRestartCalls("the server is stopping")
        }
        ending = .stopping(hurried: hurried)
        warmupAttempt = nil
        for unit in units.indices { units[unit].phase = .stopped }
        for slot in slots.indices where !slots[slot].isOccupied { setState(slot, .stopped, now) }
        (stopTermSent, stopKillSent, stopStageSince) = (false, false, now)
        publish()
        if hurried {
            stopStage = nil
            stopTermSent = true
            for slot in slots.indices where slots[slot].isOccupied { askToStop(slot, alsoTerminate: true) }
            killLeaving(.terminate)
        } else {
            stopStage = .front
            askStageToStop()
        }
        advanceStop(now)
    }

    private mutating func askToStop(_ slot: Int, alsoTerminate: Bool) {
        // Before its hello nobody knows the way to it.
        let isReachable = slots[slot].state != .spawned
        if isReachable { actions.append(.stop(slots[slot].id)) }
        if alsoTerminate || !isReachable { kill(slot, .terminate) }
    }

    private mutating func askStageToStop() {
        guard let stage = stopStage else { return }
        for slot in units[stage.rawValue].slots where slots[slot].isOccupied { askToStop(slot, alsoTerminate: false) }
        if stage == .front { killLeaving(.terminate) }
    }

    /// Goes on with the stop: the next unit when one is gone, sterner means when one does not go, the end when none is left.
    mutating func advanceStop(_ now: Double) {
        guard case .stopping(let hurried) = ending else { return }
        while !hurried, let stage = stopStage, units[stage.rawValue].slots.allSatisfy({ !slots[$0].isOccupied }),
            stage != .front || leaving.isEmpty, let next = RestartUnit(rawValue: stage.rawValue + 1)
        {
            stopStage = next
            (stopTermSent, stopKillSent, stopStageSince) = (false, false, now)
            askStageToStop()
        }
        guard slots.contains(where: \.isOccupied) || !leaving.isEmpty else {
            ending = .over
            publish()
            return actions.append(.exit(code: exitCode))
        }
        let waited = now - stopStageSince
        if !stopTermSent, waited >= policy.termAfter {
            stopTermSent = true
            killStage(.terminate)
        }
        if !stopKillSent, waited >= (hurried ? policy.hurriedKillAfter : policy.killAfter) {
            stopKillSent = true
            killStage(.kill)
        }
    }

    private mutating func killStage(_ signal: KillSignal) {
        let range = stopStage.map { units[$0.rawValue].slots } ?? slots.indices
        for slot in range { kill(slot, signal) }
        if stopStage == nil || stopStage == .front { killLeaving(signal) }
    }
}
