internal import ChildRuntime
internal import Glibc
internal import Messages

/// A child as the loop keeps it: the process, who it is, and where orders to it go.
final class RunningChild {
    let id: ChildID
    let generation: UInt64
    let title: String
    /// Its address on the router, known from its first report.
    var peer: [UInt8]?
    private var process: ChildProcess
    private var errorsEnded = false

    /// Starts this executable again as a child.
    init(
        _ id: ChildID, generation: UInt64, ranks: Int, runDirectory: String, lifeline: Int32, listener: Int32,
        keepsakes: Keepsakes, group: Int32?, cache: (slots: Int32, rank: Int32)?
    ) throws(SpawnError) {
        let identity = ChildIdentity(
            role: id.role, rank: id.rank, size: id.role == .scheduler ? ranks : 1, generation: generation,
            runDirectory: runDirectory, launcher: getpid())
        var descriptors = [(ours: lifeline, childs: ChildIdentity.lifelineDescriptor)]
        if id.role == .http {
            descriptors.append((listener, ChildIdentity.listenerDescriptor))
            descriptors.append((keepsakes.sessions, ChildIdentity.sessionsDescriptor))
        } else {
            descriptors.append((keepsakes.tokenizer, ChildIdentity.tokenizerDescriptor))
        }
        if id.role == .http || id.role == .scheduler {
            descriptors.append((keepsakes.weights, ChildIdentity.weightsDescriptor))
        }
        if id.role == .scheduler, let group { descriptors.append((group, ChildIdentity.groupDescriptor)) }
        if let cache {
            descriptors.append((cache.rank, ChildIdentity.cacheDescriptor))
            descriptors.append((cache.slots, ChildIdentity.slotsDescriptor))
        }
        self.id = id
        self.generation = generation
        title = identity.title
        process = try ChildProcess(
            path: "/proc/self/exe", arguments: [identity.title],
            environment: Self.inheritedEnvironment() + [identity.environmentEntry], descriptors: descriptors)
    }

    var pid: Int32 { process.pid }

    /// What makes the loop look at this child.
    var descriptors: [Int32] {
        (errorsEnded ? [] : [process.errorDescriptor]) + (process.endDescriptor >= 0 ? [process.endDescriptor] : [])
    }

    func signal(_ number: Int32) { process.signal(number) }

    /// The launcher itself sent it SIGKILL.
    var wasKilled: Bool { process.wasKilled }

    func reap() -> ExitCause? { process.reap() }

    /// What it left behind; to be called once, when it has ended and its stderr was read.
    func end(_ cause: ExitCause) -> ChildEnd {
        let words = process.lastWords()
        return ChildEnd(cause, words: words, lines: process.errors.lines + (words.map { [$0] } ?? []))
    }

    /// New complete lines of its stderr.
    func readErrors() -> [String] {
        guard !errorsEnded else { return [] }
        let (lines, ended) = process.readErrors()
        errorsEnded = ended
        return lines
    }

    /// What the launcher itself was given. Swift's crash reporter, which would hold a crashed process for seconds before it
    /// can be replaced, runs only for those who ask for it.
    private static func inheritedEnvironment() -> [String] {
        var entries = getenv("SWIFT_BACKTRACE") == nil ? ["SWIFT_BACKTRACE=enable=no"] : []
        var next = environ
        while let entry = next.pointee {
            let text = String(cString: entry)
            if !text.hasPrefix("SRT_CHILD=") { entries.append(text) }
            next += 1
        }
        return entries
    }
}
