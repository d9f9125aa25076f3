import ChildRuntime
import Glibc
import Messages
import Operator
import Supervisor
import TestSupport
import Testing
import Transport

/// An operator's question and what comes back, with a launcher that is only a socket.
@Suite(.timeLimit(.minutes(1))) struct LauncherLineTests {
    private let folder = TemporaryFolder()

    private func request(_ call: UInt64) -> OperatorRequest {
        .make {
            $0.call = call
            $0.restart = "all"
        }
    }

    @Test func theAnswerIsTheOneToTheQuestion() throws {
        let endpoint = Endpoint(.supervisor, in: folder.path)
        startDetachedThread {
            guard let router = try? RouterSocket(binding: endpoint, in: Context()) else { return }
            var peer: [UInt8]?
            while peer == nil {
                _ = try? router.wait(or: [], within: nil)
                if let (from, report) = try? router.receive(), report.operatorRequest.restart == "all" { peer = from }
            }
            for (call, text) in [(UInt64(6), "of an older question"), (7, "done")] {
                let answer = OperatorAnswer.make {
                    $0.call = call
                    $0.success = true
                    $0.message = text
                }
                _ = try? router.send(.make { $0.operatorAnswer = answer }, to: peer!)
            }
            // Until the end of the test's process: closing it would lose what is on the way.
            _ = try? router.wait(or: [], within: nil)
        }
        let server = RunningServer(directory: folder.path, pid: getpid(), port: 0)
        let answer = try LauncherLine.ask(server, request(7), within: 30)
        #expect(answer?.success == true && answer?.message == "done")
    }

    @Test func whoeverAsksALauncherThatEndsIsNotKept() throws {
        var child = try ChildProcess(path: "/bin/true", arguments: ["true"], environment: [])
        let server = RunningServer(directory: folder.path, pid: child.pid, port: 0)
        #expect(try LauncherLine.ask(server, request(1), within: 3600) == nil)
        #expect(child.reap() == .code(0))
    }

    @Test func aLauncherThatDoesNotAnswerIsGivenUp() throws {
        let server = RunningServer(directory: folder.path, pid: getpid(), port: 0)
        #expect(try LauncherLine.ask(server, request(1), within: 0) == nil)
    }
}
