internal import ChildRuntime
internal import Glibc
internal import Logging
internal import Messages
internal import Scheduling
internal import Tensors
internal import Values

/// Records what the worker's thread does while an operator wants a profile, and writes it down at the end.
///
/// Only that thread uses it. While nobody wants a profile each of its calls is one comparison.
final class Profiler {
    /// Loops of kernels that one profile holds.
    private static let mostKernels = 1 << 20

    /// A profile that was asked for.
    private struct Session: ~Copyable {
        let order: StartProfile
        var trace: StepTrace
        let kernels: ComputeRecord
    }

    private let compute: Compute
    private let title: String
    private let log: Logger
    /// Asked for, but not begun before a certain step.
    private var pending: StartProfile?
    private var session: Session?
    /// Steps since the process began.
    private var steps: UInt64 = 0

    init(compute: Compute, title: String, log: Logger) {
        self.compute = compute
        self.title = title
        self.log = log
    }

    // MARK: Orders

    /// Begins or ends a profile; what to tell the front.
    func obey(_ call: UInt64, _ order: StartProfile?, now: Double) -> FrontReply {
        let problem = order.map { start($0, now: now) } ?? stop(now: now)
        return .make {
            $0.control = .make {
                $0.call = call
                $0.success = problem == nil
                $0.message = problem ?? ""
            }
        }
    }

    private func start(_ order: StartProfile, now: Double) -> String? {
        if session != nil || pending != nil {
            return "Profiling is already in progress. Call /stop_profile first."
        }
        for path in order.folder.pathsOfFolders where mkdir(path, 0o777) != 0 && errno != EEXIST {
            return "cannot make the folder \(order.folder): \(String(cString: strerror(errno)))"
        }
        guard access(order.folder, W_OK) == 0 else {
            return "cannot write to \(order.folder): \(String(cString: strerror(errno)))"
        }
        if order.firstStep > steps { pending = order } else { begin(order, now: now) }
        return nil
    }

    private func begin(_ order: StartProfile, now: Double) {
        pending = nil
        session = Session(
            order: order, trace: StepTrace(now: now), kernels: ComputeRecord(of: compute, capacity: Self.mostKernels))
        log.info("Profiling starts. Traces will be saved to: \(order.folder) (with profile id: \(order.name))")
    }

    private func stop(now: Double) -> String? {
        if pending.take() != nil { return nil }
        guard let session = session.take() else { return "Profiling is not in progress. Call /start_profile first." }
        return write(session, now: now)
    }

    private func write(_ session: consuming Session, now: Double) -> String? {
        let path = session.order.folder + "/" + session.order.name + ".trace.json"
        let kernels = session.kernels.recorded.map { (name: $0.name, begin: $0.begin, end: $0.end) }
        let bytes = session.trace.json(kernels: kernels, process: (Int(getpid()), title), now: now)
        let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { return complain(path) }
        defer { close(descriptor) }
        var sent = 0
        while sent < bytes.count {
            let count = bytes.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress! + sent, $0.count - sent) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return complain(path) }
            sent += count
        }
        log.info("Profiling done. Traces are saved to: \(path)")
        return nil
    }

    private func complain(_ path: String) -> String {
        let text = "cannot write the profile to \(path): \(String(cString: strerror(errno)))"
        log.error("\(text)")
        return text
    }

    // MARK: What happens

    /// Does a part of the work.
    func note(_ part: StepTrace.Part, _ body: () -> Void) {
        guard session != nil else { return body() }
        let begin = monotonicSeconds()
        body()
        session?.trace.note(part, from: begin, to: monotonicSeconds())
    }

    /// A part of the work is done.
    func note(_ part: StepTrace.Part, from begin: Double) {
        if session != nil { session?.trace.note(part, from: begin, to: monotonicSeconds()) }
    }

    /// A command came.
    func received(_ command: WorkerCommand, now: Double) {
        guard session != nil else { return }
        switch command.command {
        case .generate(let request)?: arrived(request.key, request.options, now: now)
        case .embeds(let list)?: for request in list.requests { arrived(request.key, request.options, now: now) }
        default: break
        }
    }

    private func arrived(_ key: RequestKey, _ options: RequestOptions, now: Double) {
        let sent = options.sentAt > 0 ? wallClockSeconds() - options.sentAt : nil
        session?.trace.arrived(key.id, sent: sent, now: now)
    }

    /// A batch was made.
    func planned(_ batch: Batch, _ load: (waiting: Int, running: Int), from begin: Double, to end: Double) {
        if let order = pending, steps + 1 >= order.firstStep { self.begin(order, now: begin) }
        guard session != nil else { return }
        session?.trace.note(.schedule, from: begin, to: end)
        session?.trace.note(waiting: load.waiting, running: load.running, now: end)
        session?.trace.planned(batch, now: end)
    }

    /// It was computed.
    func stepped(_ batch: Batch, from begin: Double, to end: Double) {
        steps += 1
        guard session != nil else { return }
        session?.trace.note(batch, from: begin, to: end)
        guard let limit = session?.order.steps, limit > 0, let done = session?.trace.steps, done >= limit else {
            return
        }
        _ = stop(now: end)
    }

    /// Tokens leave.
    func sends(_ command: DetokenizerCommand, now: Double) {
        guard session != nil, case .tokens(let batch)? = command.command else { return }
        for (id, finish) in zip(batch.requestIds, batch.finish) where finish.reason != nil {
            session?.trace.ended(id, now: now)
        }
    }

    /// Vectors, or a refusal, leave.
    func sends(_ reply: FrontReply, now: Double) {
        guard session != nil else { return }
        switch reply.reply {
        case .vectors(let batch)?: for id in batch.requestIds { session?.trace.ended(id, now: now) }
        case .failure(let failure)?: session?.trace.ended(failure.key.id, now: now)
        default: break
        }
    }
}

extension String {
    /// The folder and those above it, the highest first.
    fileprivate var pathsOfFolders: [String] {
        var paths: [String] = []
        var path = hasPrefix("/") ? "" : "."
        for part in split(separator: "/") {
            path += "/" + part
            paths.append(path)
        }
        return paths
    }
}
