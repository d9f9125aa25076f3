internal import CPlatform
internal import ChildRuntime
internal import Glibc
internal import JSON
internal import Messages
internal import Transport
internal import Values

/// The shell around `SupervisorState`: one thread, one poll, which turns signals, deaths, reports and time into events and
/// the actions that come back into system calls.
final class ServerLoop {
    let plan: ServerPlan
    let console: Console
    let listener: ListeningSocket
    let directory: RunDirectory
    let startedAt = wallClockSeconds()
    private let router: RouterSocket
    private let signals: Int32
    /// Children hold the reading end: its end of file tells them that the launcher is gone.
    private let lifeline: (read: Int32, write: Int32)
    var state: SupervisorState
    private var children: [ChildID: RunningChild] = [:]
    /// Fronts that left their place and are not done.
    private var leaving: [RunningChild] = []
    private var operators: [UInt64: (peer: [UInt8], call: UInt64)] = [:]
    private var nextCall: UInt64 = 1
    private var warmup: WarmupRequest?
    private var progress = LoadProgress()
    private var mustPublish = false
    private var serviceManager = ServiceManager()
    /// What the ranks of the generation that is being spawned share.
    private var group = GroupMemory()
    private let keepsakes: Keepsakes
    private let memory = MemoryCounters(reading: SmallFile.text)
    private var kernelKills = KernelKills()
    private var exitCode: Int32?

    /// Takes over what was opened; spawns nothing yet.
    init(
        _ plan: ServerPlan, console: Console, listener: consuming ListeningSocket, directory: consuming RunDirectory,
        signals: Int32
    ) throws {
        self.plan = plan
        self.console = console
        router = try RouterSocket(binding: Endpoint(.supervisor, in: directory.path), in: Context())
        self.listener = listener
        self.directory = directory
        self.signals = signals
        var ends: [Int32] = [-1, -1]
        guard platform_pipe(&ends) == 0 else {
            throw SpawnError(description: "pipe: \(String(cString: strerror(errno)))")
        }
        lifeline = (ends[0], ends[1])
        keepsakes = try Keepsakes()
        state = SupervisorState(plan.policy, wallOffset: wallClockSeconds() - seconds())
        kernelKills.observe(memory.kills, at: seconds())
    }

    /// Runs until the server has ended; the code to exit with.
    func run() -> Int32 {
        feed(.start)
        while exitCode == nil {
            publishIfDue()
            wait()
            readReports()
            readErrors()
            readSignals()
            collectDead()
            collectWarmup()
            feed(.tick)
            console.flush()
            serviceManager.notice(status: state.status, now: seconds())
        }
        publishIfDue()
        console.show(bar: "")
        return exitCode ?? LauncherExit.startFailed
    }

    /// Removes what the server put on disk.
    func cleanUp(keepingState: Bool) { directory.removeFiles(keepingState: keepingState) }

    // MARK: Events

    private func wait() {
        var descriptors = [signals]
        for child in everyone { descriptors += child.descriptors }
        if let warmup { descriptors.append(warmup.doneDescriptor) }
        let pause = max(0, state.nextWake(after: seconds()) - seconds())
        do {
            _ = try router.wait(or: descriptors, within: .milliseconds(Int((pause * 1000).rounded(.up))))
        } catch {
            console.log(LogLine(level: .error, text: "\(error)"))
        }
    }

    private func feed(_ event: SupervisorEvent) {
        for action in state.handle(event, at: seconds()) { perform(action) }
    }

    private func readReports() {
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

    private func reply(to peer: [UInt8], _ call: UInt64, _ success: Bool, _ message: String) {
        let answer = OperatorAnswer.make {
            $0.call = call
            $0.success = success
            $0.message = message
        }
        _ = try? router.send(.make { $0.operatorAnswer = answer }, to: peer)
    }

    private func readErrors() {
        for child in everyone { relay(child) }
    }

    private func relay(_ child: RunningChild) {
        for line in child.readErrors() { console.write(line) }
    }

    private func readSignals() {
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

    private func collectDead() {
        kernelKills.observe(memory.kills, at: seconds())
        for child in everyone {
            guard let status = child.reap() else { continue }
            let cause = whoKilled(child, status)
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

    /// All processes that were started and not buried. Model workers come first: of several that die at once of the same cause,
    /// they know it best.
    private var everyone: [RunningChild] {
        children.values.sorted {
            ($0.id.role != .scheduler ? 1 : 0, $0.id.rank) < ($1.id.role != .scheduler ? 1 : 0, $1.id.rank)
        }
            + leaving
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

    private func collectWarmup() {
        guard let current = warmup, let result = current.result else { return }
        warmup = nil
        switch result {
        case .answered: feed(.warmupEnded(attempt: current.attempt, failure: nil))
        case .failed(let reason): feed(.warmupEnded(attempt: current.attempt, failure: reason))
        }
    }

    // MARK: Actions

    private func perform(_ action: SupervisorAction) {
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
        case .log(let line): console.log(line)
        case .startWarmup(let attempt):
            publishIfDue()
            warmup = WarmupRequest(
                attempt: attempt, to: listener.target, path: plan.warmupPath, body: plan.warmupBody,
                apiKey: plan.apiKey,
                timeout: 600)
        case .answer(let call, let success, let message):
            guard let (peer, theirs) = operators.removeValue(forKey: call) else { return }
            reply(to: peer, theirs, success, message)
        case .exit(let code): exitCode = code
        }
    }

    private func spawn(_ id: ChildID, _ generation: UInt64) {
        do {
            let child = try RunningChild(
                id, generation: generation, ranks: plan.policy.ranks, runDirectory: directory.path,
                lifeline: lifeline.read,
                listener: listener.descriptor, keepsakes: keepsakes,
                group: group.descriptor(for: id, generation, ranks: plan.policy.ranks))
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

    /// Tells everybody, once for all the changes of a round.
    private func publishIfDue() {
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

    private func stateJSON() -> JSONValue {
        var file = StateFile(status: state.status, topology: state.topology(at: seconds()))
        (file.launcherPid, file.address, file.port) = (getpid(), listener.name, listener.port)
        (file.runDirectory, file.modelName, file.startedAt) = (directory.path, plan.modelName, startedAt)
        return file.json(writtenAt: wallClockSeconds())
    }

    private func showProgress() {
        let processes = state.topology(at: seconds()).processes
        if console.isTerminal {
            console.show(bar: progress.bar(processes))
        } else {
            for line in progress.lines(processes) { console.log(LogLine(level: .info, text: line)) }
        }
    }
}

/// Seconds of the monotonic clock.
func seconds() -> Double { Double(monotonicMilliseconds()) / 1000 }
