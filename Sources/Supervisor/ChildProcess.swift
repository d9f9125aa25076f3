internal import CPlatform
internal import ChildRuntime
internal import Glibc

/// Why a process could not be started.
package struct SpawnError: Error, Equatable, CustomStringConvertible {
    package var description: String
}

/// One started process: its pid, a descriptor that tells of its end, and the pipes of its stderr and of its last words.
///
/// The pid stays its own until `reap` has returned its status, so signals cannot hit a stranger.
package struct ChildProcess: ~Copyable {
    package let pid: Int32
    /// Readable once the process has ended.
    package let endDescriptor: Int32
    /// The reading end of its stderr, non-blocking.
    package let errorDescriptor: Int32
    /// What it wrote last.
    package var errors = LineTail()
    /// The reading end of what it says when it ends by itself.
    private let wordsDescriptor: Int32
    /// It was sent SIGKILL from here.
    package private(set) var wasKilled = false

    /// Starts `path`. `descriptors` are pairs (ours, the child's); stdin is /dev/null, stderr and last words go to pipes of ours,
    /// everything else but stdout is closed.
    package init(
        path: String, arguments: [String], environment: [String], descriptors: [(ours: Int32, childs: Int32)] = []
    ) throws(SpawnError) {
        var pipe: [Int32] = [-1, -1]
        var words: [Int32] = [-1, -1]
        guard platform_pipe(&pipe) == 0 else { throw Self.failure("pipe") }
        guard platform_pipe(&words) == 0 else {
            defer { for end in pipe { close(end) } }
            throw Self.failure("pipe")
        }
        let nothing = open("/dev/null", O_RDWR | O_CLOEXEC)
        var keep: [Int32] = [nothing, 0, pipe[1], 2, words[1], ChildIdentity.wordsDescriptor]
        for (ours, childs) in descriptors { keep += [ours, childs] }
        let started = Self.withCStrings(arguments) { arguments in
            Self.withCStrings(environment) { environment in
                platform_spawn(path, arguments, environment, keep, Int32(keep.count / 2))
            }
        }
        let reason = errno
        for end in [nothing, pipe[1], words[1]] { close(end) }
        guard started > 0 else {
            for end in [pipe[0], words[0]] { close(end) }
            throw SpawnError(description: "\(path): \(String(cString: strerror(reason)))")
        }
        for end in [pipe[0], words[0]] { _ = fcntl(end, F_SETFL, O_NONBLOCK) }
        pid = started
        errorDescriptor = pipe[0]
        wordsDescriptor = words[0]
        // Without a descriptor of its end SIGCHLD still tells of it.
        endDescriptor = platform_pidfd_open(started)
    }

    deinit {
        close(errorDescriptor)
        close(wordsDescriptor)
        if endDescriptor >= 0 { close(endDescriptor) }
    }

    /// Sends a signal to the process.
    package mutating func signal(_ number: Int32) {
        if number == SIGKILL { wasKilled = true }
        kill(pid, number)
    }

    /// Reads what is there of its stderr; the complete lines, and whether the pipe has ended.
    package mutating func readErrors() -> (lines: [String], ended: Bool) {
        var lines: [String] = []
        var chunk = [UInt8](repeating: 0, count: 16384)
        // Bounded, so that one that writes without end cannot hold up the others.
        for _ in 0..<16 {
            let count = read(errorDescriptor, &chunk, chunk.count)
            if count == 0 { return (lines + errors.finish(), true) }
            if count < 0 {
                if errno == EINTR { continue }
                return (lines, errno != EAGAIN)
            }
            lines += errors.append(chunk[..<count])
        }
        return (lines, false)
    }

    /// What it said before it ended by itself; nil when it said nothing.
    package func lastWords() -> String? {
        var bytes = [UInt8](repeating: 0, count: LastWords.limit)
        let count = read(wordsDescriptor, &bytes, bytes.count)
        return count > 0 ? String(decoding: bytes[..<count], as: UTF8.self) : nil
    }

    /// The status of a process that has ended; nil while it runs. Whatever else is left in its process group is killed.
    package mutating func reap() -> ExitCause? {
        var info = siginfo_t()
        guard waitid(P_PID, id_t(pid), &info, WEXITED | WNOHANG | WNOWAIT) == 0, info.si_signo == SIGCHLD else {
            return nil
        }
        // Its pid is not free yet, so the group can be nobody else's.
        kill(-pid, SIGKILL)
        var status: Int32 = 0
        guard waitpid(pid, &status, WNOHANG) == pid else { return nil }
        return ExitCause(waitStatus: status)
    }

    private static func failure(_ call: String) -> SpawnError {
        SpawnError(description: "\(call): \(String(cString: strerror(errno)))")
    }

    private static func withCStrings<R>(_ strings: [String], _ body: ([UnsafeMutablePointer<CChar>?]) -> R) -> R {
        var pointers = strings.map { strdup($0) }
        pointers.append(nil)
        defer { for pointer in pointers { free(pointer) } }
        return body(pointers)
    }
}

/// Cuts a stream of bytes into lines and remembers the last of them.
package struct LineTail: Sendable, Equatable {
    /// Lines remembered.
    static let remembered = 50
    /// Bytes after which a line is cut, whatever it is.
    static let longest = 8192

    /// The last complete lines, oldest first.
    package private(set) var lines: [String] = []
    private var partial: [UInt8] = []

    package init() {}

    /// Takes in bytes; the lines that they complete.
    package mutating func append(_ bytes: ArraySlice<UInt8>) -> [String] {
        var complete: [String] = []
        var rest = bytes
        while let end = rest.firstIndex(of: 10) {
            partial += rest[rest.startIndex..<end]
            complete.append(take())
            rest = rest[(end + 1)...]
        }
        partial += rest
        if partial.count > Self.longest { complete.append(take()) }
        return complete
    }

    /// The unfinished line, if any, at the end of the stream.
    package mutating func finish() -> [String] { partial.isEmpty ? [] : [take()] }

    private mutating func take() -> String {
        let line = String(decoding: partial, as: UTF8.self)
        partial = []
        lines.append(line)
        if lines.count > Self.remembered { lines.removeFirst() }
        return line
    }
}
