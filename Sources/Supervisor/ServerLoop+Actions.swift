internal import ChildRuntime
internal import Glibc
internal import JSON
internal import Messages
internal import Transport

/// What is to be done: actions become system calls, orders and lines.
extension ServerLoop {
    /// Does what the state wants.
    func perform(_ action: SupervisorAction) {
        switch action {
        case .spawn(let id, let generation): spawn(id, generation)
        case .kill(_, let pid, let signal):
            everyone.first { $0.pid == pid }?.signal(signal == .kill ? SIGKILL : SIGTERM)
        case .drain(let id, let seconds): order(.make { $0.drain = .make { $0.seconds = seconds } }, to: children[id])
        case .retire(let id, let pid):
            guard let child = children[id], child.pid == pid else { return }
            children[id] = nil
            leaving.append(child)
        case .drainLeaving(let pid, let seconds, let replaced):
            let drain = Drain.make {
                $0.seconds = seconds
                $0.replaced = replaced
            }
            order(.make { $0.drain = drain }, to: leaving.first { $0.pid == pid })
        case .stop(let id): order(.make { $0.stop = true }, to: children[id])
        case .publish: mustPublish = true
        case .refresh(let id): order(.make { $0.topology = state.topology(at: seconds()) }, to: children[id])
        case .log(let line):
            // Whoever reads the line may act on it: the processes hear first of what it tells.
            publishIfDue()
            console.log(line)
        case .startWarmup(let attempt):
            publishIfDue()
            let plain = SocketTarget(path: directory.path + "/" + ChildIdentity.plainSocketName)
            warmup = WarmupRequest(
                attempt: attempt, to: plan.isSecure ? plain : listener.target, path: warmupPath,
                body: plan.warmupBody,
                apiKey: plan.apiKey,
                timeout: 600)
        case .answer(let call, let success, let message):
            guard let (peer, theirs) = operators.removeValue(forKey: call) else { return }
            reply(to: peer, theirs, success, message)
        case .exit(let code): exitCode = code
        }
    }

    /// A model that makes vectors is asked for one; the route takes the same body.
    private var warmupPath: String {
        (state.facts?.task.kind ?? .generation) == .generation ? plan.warmupPath : "/encode"
    }

    private func spawn(_ id: ChildID, _ generation: UInt64) {
        do {
            let child = try RunningChild(
                id, generation: generation, ranks: plan.policy.ranks, runDirectory: directory.path,
                lifeline: lifeline.read,
                listener: listener.descriptor, keepsakes: keepsakes,
                group: group.descriptor(for: id, generation, ranks: plan.policy.ranks),
                cache: id.role == .scheduler ? cache.descriptors(forRank: id.rank) : nil)
            group.spawned(id, ranks: plan.policy.ranks)
            children[id] = child
            directory.notePid(child.pid, of: child.title)
            feed(.spawned(id, generation: generation, pid: child.pid))
        } catch {
            feed(.spawnFailed(id, generation: generation, reason: "\(error)"))
        }
    }

    private func order(_ order: LauncherOrder, to child: RunningChild?) {
        guard let peer = child?.peer else { return }
        _ = try? router.send(order, to: peer)
    }

    /// Tells everybody, once for all the changes since the last line of the log, or since the round began.
    func publishIfDue() {
        guard mustPublish else { return }
        mustPublish = false
        let order = LauncherOrder.make { $0.topology = state.topology(at: seconds()) }
        for child in everyone {
            if let peer = child.peer { _ = try? router.send(order, to: peer) }
        }
        do {
            try directory.write(RunDirectory.stateFile, JSON.encode(stateJSON()) + [10])
        } catch {
            console.log(LogLine(level: .error, text: "\(error)"))
        }
    }

    /// What state.json holds.
    func stateJSON() -> JSONValue {
        var file = StateFile(status: state.status, topology: state.topology(at: seconds()))
        (file.launcherPid, file.address, file.port) = (getpid(), listener.name, listener.port)
        (file.runDirectory, file.modelName, file.startedAt) = (directory.path, plan.modelName, startedAt)
        return file.json(writtenAt: wallClockSeconds())
    }

    /// Shows how far the start is: a bar on a terminal, lines elsewhere.
    func showProgress() {
        let processes = state.topology(at: seconds()).processes
        if console.isTerminal {
            console.show(bar: progress.bar(processes))
        } else {
            for line in progress.lines(processes) { console.log(LogLine(level: .info, text: line)) }
        }
    }
}
