internal import CPlatform
internal import ChildRuntime
internal import Glibc
internal import Messages
internal import Transport
internal import Values

/// The shell around `SupervisorState`: one thread, one poll, which turns signals, deaths, reports and time into events and
/// the actions that come back into system calls.
final class ServerLoop {
    /// What the settings want.
    let plan: ServerPlan
    /// The log.
    let console: Console
    /// The HTTP socket, which fronts inherit.
    let listener: ListeningSocket
    /// Where sockets and state are.
    let directory: RunDirectory
    /// Seconds since 1970.
    let startedAt = wallClockSeconds()
    /// The lines of the children and of operators.
    let router: RouterSocket
    /// Delivers the signals that the launcher obeys.
    let signals: Int32
    /// Children hold the reading end: its end of file tells them that the launcher is gone.
    let lifeline: (read: Int32, write: Int32)
    /// What to do about anything.
    var state: SupervisorState
    /// Who fills the places of the table.
    var children: [ChildID: RunningChild] = [:]
    /// Fronts that left their place and are not done.
    var leaving: [RunningChild] = []
    /// Operators who wait for an answer, with their own numbers of the calls, by ours.
    var operators: [UInt64: (peer: [UInt8], call: UInt64)] = [:]
    /// The number of the next operator's call.
    var nextCall: UInt64 = 1
    /// The warm-up request that is under way.
    var warmup: WarmupRequest?
    /// What was told of the start so far.
    var progress = LoadProgress()
    /// The table has changed since it was told.
    var mustPublish = false
    private var serviceManager = ServiceManager()
    /// What the ranks of the generation that is being spawned share.
    var group = GroupMemory()
    /// The prefix cache, which outlives the model workers.
    var cache = CacheMemory()
    /// What children leave for those after them.
    let keepsakes: Keepsakes
    /// Where the kernel counts what it ends for want of memory.
    let memory = MemoryCounters(reading: SmallFile.text)
    /// Which of these explain no death yet.
    var kernelKills = KernelKills()
    /// Set once everything is over.
    var exitCode: Int32?

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

    /// All processes that were started and not buried. Model workers come first: of several that die at once of the same cause,
    /// they know it best.
    var everyone: [RunningChild] {
        let placed = children.values.sorted { $0.id.rank < $1.id.rank }
        return placed.filter { $0.id.role == .scheduler } + placed.filter { $0.id.role != .scheduler } + leaving
    }

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

    /// Lets an event happen and does what follows from it.
    func feed(_ event: SupervisorEvent) {
        for action in state.handle(event, at: seconds()) { perform(action) }
    }
}

/// Seconds of the monotonic clock.
func seconds() -> Double { Double(monotonicMilliseconds()) / 1000 }
