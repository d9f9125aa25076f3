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
}
