internal import CPlatform
internal import Glibc
internal import JSON
internal import Messages
internal import Transport

/// What happens: reports, output, signals, deaths and the warm-up's end become events.
extension ServerLoop {
    /// Takes what children and operators sent.
    func readReports() {
        while true {
            do {
                guard let (peer, report) = try router.receive() else { return }
                take(report, from: peer)
            } catch {
                console.log(LogLine(level: .warning, text: "\(error)"))
            }
        }
    }

    private func take(_ report: ChildReport, from peer: [UInt8]) {
        let id = ChildID(report.role, rank: Int(report.rank))
        if let child = children[id], child.generation == report.generation { child.peer = peer }
        let message: ChildMessage
        switch report.report {
        case .hello?: message = .hello
        case .progress(let progress)?: message = .progress(stage: progress.stage, fraction: progress.fraction)
        case .ready(let ready)?: message = .ready(ready.hasModel ? ready.model : nil)
        case .heartbeat(let heartbeat)?: message = .heartbeat(heartbeat)
        case .goodbye(let goodbye)?: message = .goodbye(reason: goodbye.reason)
        case .operatorRequest(let request)?: return serve(request, from: peer)
        case nil: return
        }
        feed(.report(id, generation: report.generation, message))
        // The heartbeat that a goodbye travels with is of no interest; a hello wants the table at once.
        if case .progress = message { showProgress() } else if case .ready = message { showProgress() }
    }

    private func serve(_ request: OperatorRequest, from peer: [UInt8]) {
        switch request.request {
        case .processes?:
            reply(to: peer, request.call, true, JSON.encodeToString(stateJSON()))
        case .restart(let name)?:
            let unit = RestartUnit(operatorName: name)
            guard unit != nil || name.lowercased() == "all" else {
                let known = "all, http, tokenizer_manager, scheduler, detokenizer"
                return reply(to: peer, request.call, false, "no process is called '\(name)'; there are: \(known)")
            }
            let call = nextCall
            nextCall += 1
            operators[call] = (peer, request.call)
            feed(.restart(call: call, unit))
        case nil:
            reply(to: peer, request.call, false, "this launcher does not know the request")
        }
    }

    /// Answers an operator.
    func reply(to peer: [UInt8], _ call: UInt64, _ success: Bool, _ message: String) {
        let answer = OperatorAnswer.make {
            $0.call = call
            $0.success = success
            $0.message = message
        }
        _ = try? router.send(.make { $0.operatorAnswer = answer }, to: peer)
    }

    /// Passes on what children wrote to stderr.
    func readErrors() {
        for child in everyone { relay(child) }
    }

    private func relay(_ child: RunningChild) {
        for line in child.readErrors() { console.write(line) }
    }

    /// Takes the signals that came.
    func readSignals() {
        while true {
            switch platform_next_signal(signals) {
            case 0: return
            case SIGTERM: feed(.signal(.terminate))
            case SIGINT: feed(.signal(.interrupt))
            case SIGQUIT: feed(.signal(.quit))
            default: break  // SIGCHLD only wakes the loop; SIGHUP means nothing to a server.
            }
        }
    }

    /// Buries who has ended.
    func collectDead() {
        kernelKills.observe(memory.kills, at: seconds())
        for child in everyone {
            guard let status = child.reap() else { continue }
            let cause = whoKilled(child, status)
            cache.ended(child.id, cause, byLauncher: child.wasKilled)
            // Its last words may still be on the way.
            readReports()
            relay(child)
            if children[child.id] === child {
                children[child.id] = nil
                directory.notePid(nil, of: child.title)
            } else {
                leaving.removeAll { $0 === child }
            }
            // Each front has a socket file of its own.
            if child.id.role == .http { unlink(Endpoint(front: child.generation, in: directory.path).path) }
            feed(.exited(child.id, pid: child.pid, child.end(cause)))
        }
        reapOrphans()
    }

    /// Tells a kill by the kernel, for want of memory, from one by somebody's hand.
    private func whoKilled(_ child: RunningChild, _ cause: ExitCause) -> ExitCause {
        guard cause == .signal(SIGKILL), !child.wasKilled else { return cause }
        // The kernel may have counted it since the last look; certainly before the process was gone.
        kernelKills.observe(memory.kills, at: seconds())
        return kernelKills.explainsDeath() ? .outOfMemory(limit: memory.limit) : cause
    }

    /// Buries what children left behind when they died; this process is their reaper.
    private func reapOrphans() {
        var info = siginfo_t()
        while waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0, info.si_signo == SIGCHLD {
            let pid = info._sifields._sigchld.si_pid
            // One of ours that ended just now: the next round takes it.
            guard !everyone.contains(where: { $0.pid == pid }) else { return }
            waitpid(pid, nil, WNOHANG)
            info = siginfo_t()
        }
    }

    /// Takes the outcome of the warm-up request.
    func collectWarmup() {
        guard let current = warmup, let result = current.result else { return }
        warmup = nil
        switch result {
        case .answered: feed(.warmupEnded(attempt: current.attempt, failure: nil))
        case .failed(let reason): feed(.warmupEnded(attempt: current.attempt, failure: reason))
        }
    }
}
