import Supervisor
import Testing

@Suite struct ExitCauseTests {
    @Test(arguments: [
        (Int32(0), "exit code 0"), (256, "exit code 1"), (9, "killed by SIGKILL"), (139, "killed by SIGSEGV"),
        (98 << 8, "exit code 98"),
    ])
    func readsAWaitStatus(status: Int32, words: String) {
        #expect(ExitCause(waitStatus: status).description == words)
    }

    @Test(arguments: [
        (ExitCause.signal(9), true), (.signal(15), true), (.signal(11), false), (.signal(6), false), (.code(0), false),
        (.code(1), false), (.code(75), true), (.outOfMemory(limit: nil), false),
    ])
    func tellsDeathsFromOutsideFromFailures(cause: ExitCause, isFromOutside: Bool) {
        #expect(cause.isFromOutside == isFromOutside)
    }
}
