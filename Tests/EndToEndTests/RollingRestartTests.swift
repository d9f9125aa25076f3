import Foundation
import Glibc
import JSON
import Testing

extension EndToEndTests {
    /// All processes go: at once by force, or one after the other as an operator asks.
    @Suite(.serialized, .timeLimit(.minutes(3))) struct RollingRestartTests {
        private let question: JSONObject = [
            "text": "The keeper climbed", "sampling_params": ["temperature": 0, "max_new_tokens": 24],
        ]

        @Test func whenAllChildrenDieAtOnceThePortStaysOpenAndNothingOldIsKept() throws {
            try withServer(Workload.model, Workload.flags) { server in
                let before = try server.single(question).outcome
                let victims = try Title.children.map { try server.incarnation(of: $0) }
                let run = Workload.start(on: server)
                try run.haveFrames(1)
                try server.kill(victims)
                // Whoever comes now waits at the port.
                let crew = started(8) { _ in try server.single(question).outcome }
                #expect(try crew.results() == Array(repeating: before, count: 8))
                #expect(throws: ConnectionError.lost) { try run.crew.results() }
                try server.awaitIdleness()
                #expect(try server.table().values.allSatisfy { $0["restarts"] == 1 })
                #expect(try server.strayFiles() == [] && server.zombies == [])
            }
        }

        @Test func anOperatorReplacesAllProcessesWithoutOneFailedRequest() throws {
            try withServer(Workload.model, Workload.flags) { server in
                let before = try server.single(question).outcome
                let (isOver, answered) = (EventBoard(false), EventBoard(0))
                let crew = started(8) { _ in
                    var answers = 0
                    while !isOver.now {
                        guard try server.single(question).outcome == before else { throw HarnessError("another text") }
                        answers += 1
                        answered.update { $0 += 1 }
                    }
                    return answers
                }
                defer { isOver.update { $0 = true } }
                let stream = started(1) { _ in try server.streamed(Workload.requests[0], incremental: true).outcome }
                #expect(answered.wait { $0 > 16 ? () : nil } != nil)
                let (ending, lines) = try Subprocess.run(
                    Server.binary, ["restart", "all", "--run-dir", server.runDirectory])
                #expect(ending == .code(0), "\(lines)")
                for title in Title.children { #expect(lines.joined().contains("\(title) restarted")) }
                let seen = answered.now
                #expect(answered.wait { $0 > seen + 16 || crew.ended > 0 ? () : nil } != nil)
                isOver.update { $0 = true }
                #expect(try crew.results().allSatisfy { $0 > 0 })
                #expect(try stream.results().map(\.ids.count) == [Workload.tokens])
                #expect(try server.table().values.allSatisfy { $0["generation"] == 2 })
            }
        }
    }
}
