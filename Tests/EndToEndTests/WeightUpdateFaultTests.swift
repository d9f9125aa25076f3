import Foundation
import Glibc
import JSON
import TestSupport
import Testing

extension EndToEndTests {
    /// Processes that die while weights change, and afterwards.
    @Suite(.serialized, .share(.whole), .timeLimit(.minutes(10))) struct WeightUpdateFaultTests {
        private static let question: JSONObject = [
            "text": "The keeper climbed",
            "sampling_params": ["temperature": 0, "max_new_tokens": 24, "ignore_eos": true],
        ]

        /// A server's two checkpoints and what each answers.
        private struct Pair {
            let variants = CheckpointVariants(of: Workload.model)
            let paths: [String]
            let answers: [Outcome]

            init() throws {
                paths = [Fixtures.path(Workload.model), try variants.negating("layers.1.mlp")]
                answers = try paths.map { path in try withServer(path) { try $0.single(question).outcome } }
            }

            /// The server answers as one of the two, wholly, and says which; its number.
            func served(by server: Server) throws -> Int {
                let found = try server.single(question).outcome
                guard let index = answers.firstIndex(of: found) else { throw HarnessError("a third kind of weights") }
                guard try server.servedWeights().path == paths[index] else { throw HarnessError("it says otherwise") }
                return index
            }
        }

        @Test func whoeverDiesAfterwardsComesBackWithTheNewWeights() throws {
            let pair = try Pair()
            for flags in [[], ["--tp", "2"]] {
                try withServer(Workload.model, flags) { server in
                    #expect(try server.updateWeights(pair.paths[1], ["weight_version": "v2"]).status == 200)
                    let titles = try server.table().keys.filter { $0 != Title.launcher }.sorted()
                    for title in titles {
                        try server.kill([try server.incarnation(of: title)])
                        #expect(try pair.served(by: server) == 1, "after the death of \(title)")
                        #expect(try server.servedWeights().version == "v2")
                    }
                    // And once more, from what the new processes know.
                    #expect(try server.updateWeights(pair.paths[0]).status == 200)
                    #expect(try pair.served(by: server) == 0)
                    #expect(try server.servedWeights() == (pair.paths[0], "v2"))
                }
            }
        }

        /// Kills a process at some moment of an update while streams run: the update ends with one of the two, and the streams
        /// are whole.
        @Test(arguments: [Title.worker + "_TP0", Title.worker + "_TP1", Title.tokenizer, Title.detokenizer])
        func aDeathInTheMiddleLosesNothing(_ title: String) throws {
            let pair = try Pair()
            try withServer(Workload.model, ["--tp", "2", "--incremental-streaming-output", "--max-restarts", "1000"]) {
                server in
                let expected = pair.answers
                for round in 0..<6 {
                    try server.allReady()
                    let victim = try server.incarnation(of: title)
                    let before = try pair.served(by: server)
                    let isOver = EventBoard(false)
                    let answered = EventBoard(0)
                    let crew = started(4) { _ in
                        while !isOver.now {
                            let found = try server.streamed(Self.question, incremental: true).outcome
                            guard expected.contains(found) else { throw HarnessError("a text of both: \(found.ids)") }
                            answered.update { $0 += 1 }
                        }
                    }
                    #expect(answered.wait { $0 > 4 ? () : nil } != nil)
                    let path = pair.paths[1 - before]
                    let update = started(1) { _ in try server.updateWeights(path) }
                    // Somewhere between its beginning and its end.
                    let start = server.process.lines.count
                    if round % 3 > 0 { try server.process.line(from: max(0, start - 5), with: "Start update_weights.") }
                    if round % 3 > 1 { _ = isOver.wait(seconds: 0.05) { $0 ? () : nil } }
                    try server.kill([victim])
                    let reply = try update.results()[0]
                    isOver.update { $0 = true }
                    _ = try crew.results()
                    let after = try pair.served(by: server)
                    #expect(reply.body["success"] == .bool(after != before), "\(reply)")
                    #expect(after != before, "the front ordered it again: \(reply)")
                }
                try server.awaitIdleness()
            }
        }

        @Test func aFrontThatDiesInTheMiddleLosesOnlyItsCaller() throws {
            let pair = try Pair()
            try withServer(Workload.model, ["--max-restarts", "1000"]) { server in
                for _ in 0..<4 {
                    try server.allReady()
                    let victim = try server.incarnation(of: Title.http)
                    let before = try pair.served(by: server)
                    let path = pair.paths[1 - before]
                    let start = server.process.lines.count
                    let update = started(1) { _ in try server.updateWeights(path).status }
                    try server.process.line(from: start, with: "Start update_weights.")
                    try server.kill([victim])
                    // Either it heard of it in time, or it lost its connection.
                    if let statuses = try? update.results() { #expect(statuses == [200]) }
                    try server.process.line(from: start, with: "Update weights end.")
                    #expect(try pair.served(by: server) == 1 - before)
                }
            }
        }

        /// 16 streams under many updates, half of which are broken. `SRT_UPDATES` says how many, `SRT_UPDATE_MODELS` names two
        /// checkpoints of one network, separated by a colon; with `SRT_UPDATE_KILLS` ranks die in the middle of some.
        @Test func underLoadNoTextIsMixedAndMemoryReturns() throws {
            let updates = max(6, Chaos.number("SRT_UPDATES"))
            let variants = CheckpointVariants(of: Workload.model)
            let named = Chaos.environment("SRT_UPDATE_MODELS")?.split(separator: ":").map(String.init)
            let paths = try named ?? [Fixtures.path(Workload.model), variants.negating("layers.1.mlp")]
            let broken = try CheckpointVariants.Damage.allCases.map { try variants.broken($0) } + ["no/such-model"]
            let kinds: [JSONObject] = (0..<8).map { kind in
                var sampling: JSONObject = ["temperature": kind % 2 == 0 ? 0 : 0.8, "ignore_eos": true]
                sampling["sampling_seed"] = .int(Int64(40 + kind))
                sampling["max_new_tokens"] = .int(Int64(20 + 5 * kind))
                return [
                    "text": .string("Day \(kind): the keeper climbed and wrote that "),
                    "sampling_params": .object(sampling),
                ]
            }
            // One rank adds up in another order than two, which a model of some size shows.
            let flags = ["--incremental-streaming-output", "--tp", "2"]
            let expected = try paths.map { path in
                try withServer(path, flags, dtype: "bfloat16") { server in
                    try kinds.map { try server.streamed($0, incremental: true).outcome }
                }
            }
            try withServer(paths[0], flags, dtype: "bfloat16") { server in
                let storm = UpdateStorm(server, kinds: kinds, expected: expected)
                // Both kinds of weights have been there once: what they take is known.
                for path in [paths[1], paths[0]] { #expect(try server.updateWeights(path).status == 200) }
                let before = try server.residentBytes()
                let files = try server.weightFiles()
                let crew = storm.start(clients: 16)
                let kills = Chaos.number("SRT_UPDATE_KILLS") > 0
                for number in 0..<updates { try storm.order(number, paths, broken, kills: kills) }
                storm.isOver.update { $0 = true }
                _ = try crew.results()
                let report = storm.report.now
                print("\(updates) updates under 16 streams: \(report)")
                #expect(report.different == 0 && report.answers > 0)
                #expect(Set(report.kinds) == [0, 1], "both kinds of weights were met: \(report.kinds)")
                try server.awaitIdleness()
                for (title, bytes) in try server.residentBytes() where title.hasPrefix(Title.worker) {
                    print("\(title): \(before[title]! >> 20) MiB before, \(bytes >> 20) MiB after")
                    #expect(bytes < before[title]! + 24 << 20, "\(title)")
                }
                #expect(try server.weightFiles() <= files + 2, "one more for each rank: those of the start stay")
            }
        }
    }
}

/// Clients that stream while weights change, each of whose answers must be that of one kind of weights.
struct UpdateStorm: Sendable {
    struct Report: Sendable, CustomStringConvertible {
        var answers = 0
        var different = 0
        /// Seconds.
        var gap = 0.0
        /// Which weights answered.
        var kinds: Set<Int> = []
        var kills = 0

        var description: String {
            "\(answers) answers, \(different) differ, \(kills) kills, longest gap \(Int(gap * 1000)) ms"
        }
    }

    let server: Server
    let kinds: [JSONObject]
    let expected: [[Outcome]]
    let report = EventBoard(Report())
    let isOver = EventBoard(false)

    init(_ server: Server, kinds: [JSONObject], expected: [[Outcome]]) {
        self.server = server
        self.kinds = kinds
        self.expected = expected
    }

    func start(clients: Int) -> Crew<Void> {
        started(clients) { client in
            var kind = client
            while !isOver.now {
                kind = (kind + 1) % kinds.count
                var last: Date?
                var gap = 0.0
                let found = try server.streamed(kinds[kind], incremental: true) { _ in
                    // Between two frames: what waits before its first token waits for an update.
                    if let last { gap = max(gap, Date().timeIntervalSince(last)) }
                    last = Date()
                }.outcome
                let index = expected.firstIndex { $0[kind] == found }
                report.update { report in
                    report.answers += 1
                    report.gap = max(report.gap, gap)
                    if let index { report.kinds.insert(index) } else { report.different += 1 }
                }
            }
        }
    }
}

extension UpdateStorm {
    /// Orders broken weights, or with an odd number the other ones of two; every tenth order has a rank die in its middle.
    func order(_ number: Int, _ paths: [String], _ broken: [String], kills: Bool) throws {
        let isBroken = number % 2 == 0
        let current = paths.firstIndex(of: try server.servedWeights().path)!
        let path = isBroken ? broken[number / 2 % broken.count] : paths[1 - current]
        let start = server.process.lines.count
        let update = started(1) { _ in try server.updateWeights(path).status }
        if kills, number % 10 == 3 || number % 10 == 6 {
            try server.process.line(from: start, with: "Start update_weights.")
            try server.kill([try server.incarnation(of: Title.worker + "_TP\(number / 10 % 2)")])
            report.update { $0.kills += 1 }
        }
        #expect(try update.results() == [isBroken ? 400 : 200])
        #expect(try server.servedWeights().path == paths[isBroken ? current : 1 - current])
        if kills { try server.allReady() }
    }
}

extension Server {
    /// How many packed files lie in the folder of weights.
    func weightFiles() throws -> Int {
        try FileManager.default.contentsOfDirectory(atPath: folder + "/weights").count { $0.hasSuffix(".packed") }
    }
}
