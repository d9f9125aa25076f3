import Foundation
import Glibc
import JSON
import TestSupport
import Testing

extension EndToEndTests {
    /// All processes go: at once by force, or one after the other as an operator asks.
    @Suite(.serialized, .share(.half), .timeLimit(.minutes(3))) struct RollingRestartTests {
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
                try server.awaitNoLeaving()
                #expect(try server.strayFiles() == [] && server.zombies == [])
            }
        }

        /// A stream that runs as long as a test wants, until it is aborted.
        private static func endless(_ rid: String) -> JSONObject {
            [
                "text": "The keeper", "rid": .string(rid),
                "sampling_params": ["temperature": 0, "max_new_tokens": 100_000, "ignore_eos": true],
            ]
        }

        private static let room = [
            "--incremental-streaming-output", "--json-model-override-args", #"{"max_position_embeddings": 131072}"#,
        ]

        @Test func aStreamOutlastsItsFrontWhileTheNextOneServes() throws {
            try withServer(Workload.model, Self.room) { server in
                let before = try server.single(question).outcome
                let frames = EventBoard(0)
                let stream = started(1) { _ in
                    try server.streamed(Self.endless("long"), incremental: true) { count in frames.update { $0 = count }
                    }
                    .outcome
                }
                #expect(frames.wait { $0 > 2 ? () : nil } != nil)
                let old = try server.incarnation(of: Title.http)
                for round in 1...2 {
                    let (ending, lines) = try Subprocess.run(
                        Server.binary, ["restart", "http", "--run-dir", server.runDirectory])
                    #expect(ending == .code(0) && lines.joined().contains("generation \(round + 1)"), "\(lines)")
                }
                try poll("the front in between stays") { try server.leaving() == [old.pid] ? () : nil }
                #expect(try server.single(question).outcome == before)
                // Deaths behind both fronts are none of their clients' business.
                try server.kill(try Title.neighbours.map { try server.incarnation(of: $0) })
                let seen = frames.now
                #expect(frames.wait { $0 > seen + 5 ? () : nil } != nil)
                #expect(try server.single(question).outcome == before)
                #expect(stream.ended == 0)
                // Whoever still uses a connection of the old front is answered by it and asked to come anew.
                #expect(kill(old.pid, 0) == 0)
                _ = try server.kill([try server.incarnation(of: Title.http)])
                #expect(try server.single(question).outcome == before)
                #expect(
                    stream.ended == 0 && kill(old.pid, 0) == 0, "the death of one front is no business of the other's")
                kill(old.pid, SIGKILL)
                #expect(throws: ConnectionError.lost) { try stream.results() }
                try server.awaitNoLeaving()
                try server.awaitIdleness()
                #expect(try server.strayFiles() == [] && server.zombies == [])
            }
        }

        @Test func sessionsOutliveTheFrontsThatServedThem() throws {
            try withServer(Workload.model, Workload.flags) { server in
                func turn(_ session: String, _ number: Int) throws -> Generated {
                    var place: JSONObject = ["id": .string(session)]
                    if number > 0 { place["rid"] = .string("\(session)-\(number - 1)") }
                    return try server.single([
                        "text": "The keeper climbed", "rid": .string("\(session)-\(number)"),
                        "session_params": .object(place), "sampling_params": ["temperature": 0, "max_new_tokens": 8],
                    ])
                }
                for session in ["calm", "shaken"] {
                    let opened = try server.request(
                        "/open_session", ["capacity_of_str_len": 1000, "session_id": .string(session)])
                    #expect(opened.status == 200)
                }
                let calm = try (0..<3).map { try turn("calm", $0).outcome }
                #expect(calm[2].promptTokens > calm[1].promptTokens)
                #expect(try turn("shaken", 0).outcome == calm[0])
                _ = try server.kill([try server.incarnation(of: Title.http)])
                #expect(try turn("shaken", 1).outcome == calm[1])
                let (ending, _) = try Subprocess.run(
                    Server.binary, ["restart", "http", "--run-dir", server.runDirectory])
                #expect(ending == .code(0))
                #expect(try turn("shaken", 2).outcome == calm[2])
            }
        }

        @Test(arguments: [["rid": "long"], ["rid": "lo"], ["abort_all": true]] as [JSONObject])
        func anAbortReachesWhatAReplacedFrontStillFinishes(_ abort: JSONObject) throws {
            try withServer(Workload.model, Self.room) { server in
                let frames = EventBoard(0)
                let stream = started(1) { _ in
                    try server.streamed(Self.endless("long"), incremental: true) { count in frames.update { $0 = count }
                    }
                    .outcome
                }
                #expect(frames.wait { $0 > 2 ? () : nil } != nil)
                let (ending, _) = try Subprocess.run(
                    Server.binary, ["restart", "http", "--run-dir", server.runDirectory])
                #expect(ending == .code(0))
                #expect(try server.leaving().count == 1 && stream.ended == 0)
                #expect(try server.request("/abort_request", ["rid": "other"]).status == 200)
                #expect(try server.request("/abort_request", .object(abort)).status == 200)
                #expect(try stream.results().map { $0.finish["type"] } == ["abort"])
                try server.awaitNoLeaving()
            }
        }

        @Test func aFrontThatLeavesEndsItsStreamsWhenTheServerStops() throws {
            try withServer(Workload.model, Self.room + ["--drain-timeout", "1"]) { server in
                let frames = EventBoard(0)
                let stream = started(1) { _ in
                    try server.streamed(Self.endless("long"), incremental: true) { count in frames.update { $0 = count }
                    }
                    .outcome
                }
                #expect(frames.wait { $0 > 2 ? () : nil } != nil)
                let (ending, _) = try Subprocess.run(
                    Server.binary, ["restart", "http", "--run-dir", server.runDirectory])
                #expect(ending == .code(0))
                let (end, leftovers) = try server.stop()
                #expect(end == .code(0) && leftovers == [])
                // The last frame says so; nobody's connection just breaks.
                let error = #expect(throws: HarnessError.self) { try stream.results() }
                #expect(error.map { "\($0)" }?.contains("The server is shutting down.") == true)
            }
        }
    }
}
