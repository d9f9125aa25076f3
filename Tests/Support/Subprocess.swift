internal import Foundation
package import Glibc

/// A program under test: its output line by line, and its end.
package final class Subprocess: Sendable {
    /// What became of a process.
    package enum Ending: Sendable, Equatable {
        case code(Int32)
        case signal(Int32)
    }

    /// What is known of it so far; `ending` is set after the last line was read.
    package struct Record: Sendable {
        package var lines: [String] = []
        package var isOutputOver = false
        package var ending: Ending?
    }

    package let pid: pid_t
    package let board = EventBoard(Record())

    /// Starts a program; standard output and standard error go to the same record.
    package init(_ path: String, _ arguments: [String], environment: [String: String] = [:]) throws {
        var ends: [Int32] = [-1, -1]
        // A pair of sockets in place of a pipe, since it is born with close-on-exec: other tests spawn meanwhile.
        guard socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0, &ends) == 0 else {
            throw HarnessError("socketpair: \(String(cString: strerror(errno)))")
        }
        defer { close(ends[1]) }
        do {
            pid = try Self.spawn(path, arguments, environment, output: ends[1])
        } catch {
            close(ends[0])
            throw error
        }
        let (reader, board, pid) = (ends[0], board, pid)
        Thread { Self.read(reader, into: board) }.start()
        Thread {
            var status: Int32 = 0
            while waitpid(pid, &status, 0) < 0, errno == EINTR {}
            let signal = status & 0x7f
            board.update { $0.ending = signal == 0 ? .code((status >> 8) & 0xff) : .signal(signal) }
        }.start()
    }

    private typealias CloseFrom =
        @convention(c) (UnsafeMutablePointer<posix_spawn_file_actions_t>, Int32) -> Int32

    /// glibc's posix_spawn_file_actions_addclosefrom_np, which Swift's view of glibc lacks. What other tests of this process
    /// have open is no business of the server.
    private static let closeFrom: CloseFrom? =
        dlsym(nil, "posix_spawn_file_actions_addclosefrom_np").map { unsafeBitCast($0, to: CloseFrom.self) }

    private static func spawn(
        _ path: String, _ arguments: [String], _ environment: [String: String], output: Int32
    ) throws -> pid_t {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_adddup2(&actions, output, 1)
        posix_spawn_file_actions_adddup2(&actions, output, 2)
        _ = closeFrom?(&actions, 3)
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var none = sigset_t()
        var all = sigset_t()
        sigemptyset(&none)
        sigfillset(&all)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setsigdefault(&attributes, &all)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))
        let variables = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        var argv = ([path] + arguments).map { strdup($0) } + [nil]
        var envp = variables.map { strdup("\($0)=\($1)") } + [nil]
        defer { for text in argv + envp { free(text) } }
        var pid: pid_t = 0
        let code = posix_spawn(&pid, path, &actions, &attributes, &argv, &envp)
        guard code == 0 else { throw HarnessError("\(path): \(String(cString: strerror(code)))") }
        return pid
    }

    private static func read(_ descriptor: Int32, into board: EventBoard<Record>) {
        var rest: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = Glibc.read(descriptor, &chunk, chunk.count)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { break }
            rest += chunk[..<count]
            var lines: [String] = []
            while let end = rest.firstIndex(of: 10) {
                lines.append(String(decoding: rest[..<end], as: UTF8.self))
                rest.removeSubrange(...end)
            }
            if !lines.isEmpty { board.update { $0.lines += lines } }
        }
        close(descriptor)
        board.update {
            if !rest.isEmpty { $0.lines.append(String(decoding: rest, as: UTF8.self)) }
            $0.isOutputOver = true
        }
    }

    package func signal(_ number: Int32) {
        // A process that was waited for has a pid that may be another's by now.
        if board.now.ending == nil { kill(pid, number) }
    }

    /// Lines written so far.
    package var lines: [String] { board.now.lines }

    /// Waits for a line that holds all of `parts`, looking from line `start` on.
    @discardableResult
    package func line(from start: Int = 0, with parts: String...) throws -> String {
        let found = board.wait { record in
            record.lines.dropFirst(start).first { line in parts.allSatisfy { line.contains($0) } }
                ?? (record.isOutputOver ? "" : nil)
        }
        guard let found, !found.isEmpty else { throw HarnessError("no line with \(parts) in:\n\(tail)") }
        return found
    }

    /// Waits for the end of the process and of its output.
    package func end() throws -> Ending {
        guard let ending = board.wait(for: { $0.isOutputOver ? $0.ending : nil }) else {
            throw HarnessError("process \(pid) does not end, or leaves somebody who holds its output:\n\(tail)")
        }
        return ending
    }

    /// The last lines of output, for failures.
    package var tail: String { lines.suffix(30).joined(separator: "\n") }

    /// Runs a program to its end.
    package static func run(_ path: String, _ arguments: [String]) throws -> (ending: Ending, lines: [String]) {
        let process = try Subprocess(path, arguments)
        defer { process.signal(SIGKILL) }
        return (try process.end(), process.lines)
    }
}
