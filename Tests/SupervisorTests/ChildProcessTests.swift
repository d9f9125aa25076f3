import ChildRuntime
import Glibc
import Supervisor
import Testing

/// Starts real, small programs. Waiting is for descriptors, never for time.
@Suite(.serialized, .timeLimit(.minutes(1))) struct ChildProcessTests {
    private func shell(_ script: String, _ descriptors: [(ours: Int32, childs: Int32)] = []) throws -> ChildProcess {
        try ChildProcess(
            path: "/bin/sh", arguments: ["sh", "-c", script], environment: ["PATH=/usr/bin:/bin", "WORD=here"],
            descriptors: descriptors)
    }

    /// A script that `cat <&4` keeps waiting until `body` is over: for the end of a pipe that nobody writes to.
    private func withWaiter(
        _ script: String, _ descriptors: [(ours: Int32, childs: Int32)] = [],
        _ body: (inout ChildProcess) throws -> Void
    ) throws {
        var ends: [Int32] = [-1, -1]
        pipe(&ends)
        defer { for end in ends { close(end) } }
        var child = try shell(script, descriptors + [(ends[0], 4)])
        try body(&child)
    }

    private func waitForEnd(_ child: borrowing ChildProcess) {
        var item = pollfd(fd: child.endDescriptor, events: Int16(POLLIN), revents: 0)
        while poll(&item, 1, -1) != 1 {}
    }

    private func allErrors(_ child: inout ChildProcess) -> [String] {
        var lines: [String] = []
        while true {
            var item = pollfd(fd: child.errorDescriptor, events: Int16(POLLIN), revents: 0)
            poll(&item, 1, -1)
            let (more, ended) = child.readErrors()
            lines += more
            if ended { return lines }
        }
    }

    @Test(arguments: [Int32(0), 1, 98])
    func tellsTheExitCode(code: Int32) throws {
        var child = try shell("exit \(code)")
        waitForEnd(child)
        #expect(child.reap() == .code(code))
    }

    @Test func tellsTheSignal() throws {
        var other = try shell("kill -SEGV $$")
        try withWaiter("exec cat <&4") { child in
            child.signal(SIGKILL)
            waitForEnd(child)
            #expect(child.reap() == .signal(SIGKILL))
        }
        waitForEnd(other)
        #expect(other.reap() == .signal(SIGSEGV))
    }

    @Test func isNotReapedWhileItRuns() throws {
        var ends: [Int32] = [-1, -1]
        pipe(&ends)
        var child = try shell("read line <&3", [(ends[0], 3)])
        #expect(child.reap() == nil)
        write(ends[1], "\n", 1)
        waitForEnd(child)
        #expect(child.reap() == .code(0))
        close(ends[0])
        close(ends[1])
    }

    @Test func tellsTheLastWords() throws {
        var silent = try shell("exit 1")
        var child = try shell("printf 'no model' >&\(ChildIdentity.wordsDescriptor); exit 1")
        waitForEnd(child)
        waitForEnd(silent)
        #expect(child.reap() == .code(1))
        #expect(silent.reap() == .code(1))
        let words = [child.lastWords(), silent.lastWords()]
        #expect(words == ["no model", nil])
    }

    @Test func remembersWhoKilled() throws {
        try withWaiter("exec cat <&4") { child in
            var known = [child.wasKilled]
            for signal in [SIGTERM, SIGKILL] {
                child.signal(signal)
                known.append(child.wasKilled)
            }
            #expect(known == [false, false, true])
        }
    }

    @Test func keepsTheLastLinesOfStderr() throws {
        var child = try shell("for i in $(seq 1 60); do echo line $i >&2; done; printf unfinished >&2")
        let lines = allErrors(&child)
        waitForEnd(child)
        _ = child.reap()
        #expect(lines.count == 61 && lines.last == "unfinished")
        #expect(child.errors.lines.count == 50 && child.errors.lines.first == "line 12")
    }

    @Test func inheritsNothingButWhatItIsGiven() throws {
        var ends: [Int32] = [-1, -1]
        pipe(&ends)
        let script = "echo $WORD $HOME. >&2; for i in 3 4 5 6 7 8 9; do [ -e /proc/$$/fd/$i ] && echo $i >&2; done"
        var child = try shell(script, [(ends[0], 3)])
        let lines = allErrors(&child)
        waitForEnd(child)
        _ = child.reap()
        close(ends[0])
        close(ends[1])
        #expect(lines == ["here .", "3", "\(ChildIdentity.wordsDescriptor)"], "the last is for its last words")
    }

    @Test func takesItsGrandchildrenAlong() throws {
        var ends: [Int32] = [-1, -1]
        pipe(&ends)
        // The grandchild keeps the writing end: its end of file tells that it is gone.
        try withWaiter("(exec cat <&4) & exit 3", [(ends[1], 3)]) { child in
            close(ends[1])
            waitForEnd(child)
            #expect(child.reap() == .code(3))
            var byte: UInt8 = 0
            #expect(read(ends[0], &byte, 1) == 0)
        }
        close(ends[0])
    }

    @Test func aProgramThatIsNotThereIsNamed() {
        let failure = #expect(throws: SpawnError.self) {
            _ = try ChildProcess(path: "/no/such/program", arguments: ["x"], environment: []).pid
        }
        #expect(failure?.description == "/no/such/program: No such file or directory")
    }

    @Test func cutsLinesAcrossPieces() {
        var tail = LineTail()
        #expect(tail.append(Array("one\ntw".utf8)[...]) == ["one"])
        #expect(tail.append(Array("o\n\nthree".utf8)[...]) == ["two", ""])
        #expect(tail.finish() == ["three"])
        #expect(tail.append([UInt8](repeating: 97, count: 10_000)[...]).count == 1)
    }
}
