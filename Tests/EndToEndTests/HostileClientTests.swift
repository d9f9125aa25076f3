import Foundation
import Glibc
import JSON
import TestSupport
import Testing

extension EndToEndTests {
    /// Clients that take room and give nothing: the others are served as before, and nothing stays behind.
    ///
    /// With `SRT_HOSTILE_CLIENTS=1` it is 2,000 that send a byte a second, 200 that read nothing and 32 good ones, once with
    /// the server's own limit of connections and once with room for all and short frames, and it prints what the good ones got before and
    /// meanwhile, on `SRT_CHAOS_MODEL` if that is set. Until the buffers between them and the server are full, the deaf ones' streams
    /// are computed like any other; then nobody computes for them.
    @Suite(.serialized, .share(.whole), .timeLimit(.minutes(10))) struct HostileClientTests {
        private static let isLarge = Chaos.number("SRT_HOSTILE_CLIENTS") > 0
        private static let (slow, deaf, good) = isLarge ? (2000, 200, 32) : (50, 8, 4)
        /// Seconds between two bytes of a slow client.
        private static let interval = isLarge ? 1.0 : 0.1
        /// Requests of all good clients in a phase.
        private static let requests = isLarge ? (Chaos.model == Workload.model ? 1600 : 128) : 40
        /// A tiny model whose streams can become long, or a real one.
        private static let server =
            Chaos.model == Workload.model ? ("llama-tied", Workload.longContext) : (Chaos.model, [])
        private static let variants =
            isLarge ? [[], ["--max-connections", "4096", "--incremental-streaming-output"]] : [[]]

        private static let questions: [JSONObject] = (0..<8).map { index in
            [
                "text": .string("Day \(index): the keeper climbed"),
                "sampling_params": [
                    "temperature": 0, "max_new_tokens": .int(Int64(16 + index * 4)), "ignore_eos": true,
                ],
            ]
        }

        /// The request of a client that reads nothing of its long answer.
        private static let unread: [UInt8] = {
            let body = JSON.encode(
                .object([
                    "text": "The keeper", "stream": true,
                    "sampling_params": ["temperature": 0, "max_new_tokens": 8000, "ignore_eos": true],
                ]))
            return Array("POST /generate HTTP/1.1\r\nHost: localhost\r\nContent-Length: \(body.count)\r\n\r\n".utf8)
                + body
        }()

        @Test(arguments: variants) func goodClientsAreServedAmongBadOnes(_ flags: [String]) throws {
            try withServer(Self.server.0, Self.server.1 + flags, dtype: "bfloat16") { server in
                let expected = try Self.questions.map { try server.single($0).outcome }
                _ = try phase(server, expected)
                try server.awaitIdleness()
                let before = (memory: try server.residentBytes(), descriptors: try server.descriptors())
                let alone = try phase(server, expected)

                let habits = (0..<Self.slow).map { $0 % 2 == 0 ? SlowClients.Habit.head : .body }
                let slow = SlowClients(port: server.port, habits, interval: Self.interval)
                try slow.rounds(2)
                let amongSlow = try phase(server, expected)
                let deaf = SlowClients(
                    port: server.port, Array(repeating: .deaf(request: Self.unread), count: Self.deaf),
                    interval: Self.interval)
                try deaf.rounds(2)
                let computing = try phase(server, expected, share: 4)
                let heard = Date()
                // A real model needs minutes to fill the buffers of two hundred.
                for round in 0..<(Self.isLarge ? 8 : 1) {
                    do {
                        try poll("streams that nobody reads are computed") {
                            try server.load()["num_running_reqs"] == 0 ? () : nil
                        }
                        break
                    } catch let error where round == 7 || !Self.isLarge { throw error } catch {}
                }
                let parked = -heard.timeIntervalSinceNow
                let amongAll = try phase(server, expected)
                let held = try server.descriptors()
                deaf.stop()
                slow.stop()
                let end = Date()

                try server.awaitIdleness(since: end)
                try poll("descriptors: \(before.descriptors), now \((try? server.descriptors()) ?? [:])") {
                    try server.descriptors() == before.descriptors ? () : nil
                }
                #expect(try server.table().values.allSatisfy { $0["restarts"] == 0 })
                guard Self.isLarge else { return }
                print("flags: \(flags)")
                report([
                    ("alone", alone), ("among slow ones", amongSlow), ("and deaf ones at first", computing),
                    ("and deaf ones \(Int(parked)) s later", amongAll),
                ])
                print("slow clients: \(slow.tally); deaf ones: \(deaf.tally)")
                let after = try server.residentBytes()
                for title in before.memory.keys.sorted() {
                    print(
                        "\(title): resident \(before.memory[title]! >> 20) MiB before, \((after[title] ?? 0) >> 20) MiB after; "
                            + "descriptors \(before.descriptors[title]!) before, \(held[title] ?? 0) meanwhile")
                }
            }
        }

        /// Requests a second of the good clients, and how many of them were refused or lost their connection.
        struct Rate {
            var perSecond: Double
            var failed: Int
        }

        /// Lets the good clients do their requests; each has a connection of its own for each request.
        ///
        /// - Parameter share: only one of so many is done, where all takes too long.
        private func phase(_ server: Server, _ expected: [Outcome], share: Int = 1) throws -> Rate {
            let start = Date()
            let each = Self.requests / Self.good / share
            let failed = try concurrently(Self.good) { client in
                var failed = 0
                for number in 0..<each {
                    let kind = (client + number) % expected.count
                    let asked = try? server.request("/generate", .object(Self.questions[kind]))
                    guard let answer = asked, answer.status != 503 else { failed += 1; continue }
                    let outcome = try Generated(answer.json()).outcome
                    guard outcome == expected[kind] else { throw HarnessError("another text: \(outcome.text)") }
                }
                return failed
            }.reduce(0, +)
            #expect(failed == 0, "good clients were refused or thrown out")
            return Rate(perSecond: Double(each * Self.good) / -start.timeIntervalSinceNow, failed: failed)
        }

        private func report(_ phases: [(String, Rate)]) {
            for (name, rate) in phases {
                let share = Int((100 * rate.perSecond / phases[0].1.perSecond).rounded())
                print("good clients \(name): \(Int(rate.perSecond)) requests/s (\(share) %), \(rate.failed) failed")
            }
        }
    }
}
