import Foundation
import Glibc
import TestSupport

/// Makes other processes call `_exit`, as a debugger would: a clean end that nobody asked for, which no signal gives.
enum Tracer {
    private typealias Trace = @convention(c) (Int32, pid_t, UInt, UnsafeMutableRawPointer?) -> Int
    private enum Request {
        static let pokeText: Int32 = 4
        static let getRegisters: Int32 = 12
        static let setRegisters: Int32 = 13
        static let detach: Int32 = 17
        // Not the older "attach", which leaves a stop signal behind.
        static let seize: Int32 = 0x4206
        static let interrupt: Int32 = 0x4207
    }
    /// Places in the kernel's list of an x86-64 thread's registers.
    private enum Register {
        static let rax = 10
        static let rdi = 14
        static let originalRAX = 15
        static let rip = 16
        static let count = 27
    }
    private static let exitGroup: UInt64 = 231
    /// `__WALL`: threads that are not first ones too.
    private static let allThreads: Int32 = 0x4000_0000
    /// The bytes of `syscall`.
    private static let systemCall = UInt(0x050f)

    /// glibc's ptrace, which has no fixed parameters and is therefore not in Swift's view of glibc.
    private static let trace = dlsym(nil, "ptrace").map { unsafeBitCast($0, to: Trace.self) }

    /// Whether this machine lets a parent trace its descendants, tried on a shell's child.
    static let isAllowed: Bool = {
        #if arch(x86_64)
            guard
                let shell = try? Subprocess(
                    "/bin/sh", ["-c", "tail --pid=$$ -f /dev/null & echo pid $!; wait $!; echo code $?"]),
                let line = try? shell.line(with: "pid "), let pid = pid_t(line.dropFirst(4))
            else { return false }
            defer { kill(pid, SIGKILL) }
            guard (try? exit(pid, code: 7)) != nil else { return false }
            return (try? shell.line(with: "code 7")) != nil
        #else
            return false
        #endif
    }()

    /// Lets a process end with `_exit(code)`, wherever its first thread is.
    static func exit(_ pid: pid_t, code: UInt64) throws {
        // All threads stop first: another one might come to the place where the instruction is put.
        let others = try FileManager.default.contentsOfDirectory(atPath: "/proc/\(pid)/task").compactMap { pid_t($0) }
            .filter { $0 != pid }
        for thread in [pid] + others {
            try call(Request.seize, thread)
            try call(Request.interrupt, thread)
            waitFor(thread)
        }
        defer {
            _ = trace?(Request.detach, pid, 0, nil)
            // They end with the process; their ends are the tracer's to see, and the parent hears of its child's end after them.
            others.forEach(waitFor)
        }
        var registers = [UInt64](repeating: 0, count: Register.count)
        try call(Request.getRegisters, pid, &registers)
        // The instruction goes where the thread is; the page becomes this process's own.
        try call(
            Request.pokeText, pid, address: UInt(registers[Register.rip]),
            UnsafeMutableRawPointer(bitPattern: systemCall))
        registers[Register.rax] = exitGroup
        registers[Register.rdi] = code
        // No system call is under way that the kernel would repeat.
        registers[Register.originalRAX] = .max
        try call(Request.setRegisters, pid, &registers)
    }

    /// Waits until a traced thread has stopped or ended.
    private static func waitFor(_ thread: pid_t) {
        var status: Int32 = 0
        while waitpid(thread, &status, allThreads) < 0, errno == EINTR {}
    }

    private static func call(
        _ request: Int32, _ pid: pid_t, address: UInt = 0, _ data: UnsafeMutableRawPointer? = nil
    ) throws {
        guard let trace, trace(request, pid, address, data) >= 0 else {
            throw HarnessError("ptrace \(request) of \(pid): \(String(cString: strerror(errno)))")
        }
    }
}
