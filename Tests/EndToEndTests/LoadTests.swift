import Foundation
import JSON
import TestSupport
import Testing
import Values

extension EndToEndTests {
    /// Many clients at once, some of which hang up: all others are answered, and afterwards nothing is held anywhere.
    @Suite(.serialized, .share(.whole), .timeLimit(.minutes(4))) struct LoadTests {
        static let clients = 64
        static let requestsEach = 20
        /// Slots of the pool: too few for all clients at once.
        static let slots = 4096
        static let flags =
            [
                "--max-total-tokens", "\(slots)", "--max-running-requests", "24",
            ] + Workload.longContext

        /// How a client leaves.
        enum Manners: Sendable {
            case stays
            /// Hangs up after so many frames of a stream, or, with none, as soon as the request is sent.
            case leaves(after: Int)
        }

        /// One request of the load; those with the same kind have the same answer.
        struct Job: Sendable {
            let kind: Int
            let isStream: Bool
            let manners: Manners
            let keepsConnection: Bool

            var tokens: Int { 1 + kind * kind % 61 }

            var body: JSONObject {
                var sampling: JSONObject = [
                    "max_new_tokens": .int(Int64(tokens)), "ignore_eos": true, "temperature": 0,
                ]
                if kind % 3 == 0 {
                    sampling["temperature"] = 1
                    sampling["sampling_seed"] = .int(Int64(kind))
                }
                let text = String(
                    repeating: "Day \(kind % 7) of rain: the level rose by \(kind) cm. ", count: 1 + kind % 5)
                return [
                    "text": .string(text), "sampling_params": .object(sampling), "stream": .bool(isStream),
                    "return_logprob": .bool(kind % 4 == 0),
                ]
            }
        }

        /// What every client does, from a seed.
        static let plan: [[Job]] = {
            var random = SplitMix64(seed: 20)
            return (0..<clients).map { _ in
                (0..<requestsEach).map { _ in
                    let isStream = Bool.random(using: &random)
                    let leaves = Int.random(in: 0..<10, using: &random) == 0
                    let frames = isStream ? Int.random(in: 0..<12, using: &random) : 0
                    return Job(
                        kind: Int.random(in: 0..<40, using: &random), isStream: isStream,
                        manners: leaves ? .leaves(after: frames) : .stays,
                        keepsConnection: Bool.random(using: &random))
                }
            }
        }()

        /// Does one client's requests; gives the outcomes of those it stayed for.
        private static func work(_ jobs: [Job], on server: Server) throws -> [(kind: Int, outcome: Outcome)] {
            var outcomes: [(kind: Int, outcome: Outcome)] = []
            var kept: HTTPConnection?
            for job in jobs {
                let connection = try kept ?? HTTPConnection(port: server.port)
                kept = nil
                try connection.send("/generate", .object(job.body))
                if case .leaves(after: 0) = job.manners { continue }
                let head = try connection.head()
                guard head.status == 200 else { throw HarnessError("status \(head.status)") }
                if let outcome = try read(job, connection) {
                    outcomes.append((job.kind, outcome))
                    if job.keepsConnection { kept = connection }
                }
            }
            return outcomes
        }

        /// Reads an answer, or as much of it as the client stays for.
        private static func read(_ job: Job, _ connection: HTTPConnection) throws -> Outcome? {
            guard job.isStream else {
                var body: [UInt8] = []
                while let piece = try connection.piece() { body += piece }
                return try Generated(JSON.parse(String(decoding: body, as: UTF8.self))).outcome
            }
            var last: JSONValue?
            var frames = 0
            let isComplete = try connection.events { frame in
                last = frame
                frames += 1
                if case .leaves(let limit) = job.manners { return frames < limit }
                return true
            }
            guard isComplete, let last else { return nil }
            return try Generated(last).outcome
        }

        /// Sends a request that needs all slots of the pool but three: with more of them lost it would never run.
        private func useWholePool(_ server: Server) throws -> Outcome {
            try server.flush()
            let longest = try #require(try server.request("/server_info").json()["max_req_input_len"]?.intValue)
            #expect(longest >= Self.slots - 6)
            let prompt = (0..<longest).map { JSONValue.int(Int64(10 + $0 % 300)) }
            return try server.single([
                "input_ids": .array(prompt),
                "sampling_params": ["max_new_tokens": 8, "temperature": 0, "ignore_eos": true],
            ]).outcome
        }

        @Test func everyoneIsAnsweredAndNothingStays() throws {
            try withServer("llama-tied", Self.flags) { server in
                let whole = try useWholePool(server)
                // Every client once, so that threads and buffers that come with the load are there.
                _ = try concurrently(Self.clients) { _ in try server.single(Self.plan[0][0].body.unstreamed) }
                try server.awaitIdleness()
                let before = try server.descriptors()

                let answers = try concurrently(Self.clients) { try Self.work(Self.plan[$0], on: server) }
                let end = Date()
                let staying = Self.plan.joined().count { if case .stays = $0.manners { true } else { false } }
                let outcomes = answers.joined()
                #expect(outcomes.count >= staying && staying < Self.clients * Self.requestsEach * 95 / 100)
                var known: [Int: Outcome] = [:]
                for (kind, outcome) in outcomes {
                    let job = Job(kind: kind, isStream: false, manners: .stays, keepsConnection: false)
                    #expect(outcome.ids.count == job.tokens && outcome.finish["type"] == "length")
                    if let first = known[kind] {
                        #expect(first == outcome, "kind \(kind)")
                    } else {
                        known[kind] = outcome
                    }
                }

                try server.awaitIdleness(since: end)
                #expect(try server.load()["max_total_num_tokens"]?.intValue == Self.slots)
                try poll("descriptors: \(before), now \((try? server.descriptors()) ?? [:])") {
                    try server.descriptors() == before ? () : nil
                }
                #expect(try useWholePool(server) == whole)
                for (title, process) in try server.table() { #expect(process["restarts"] == 0, "\(title)") }
                #expect(server.process.lines.filter { $0.contains("ERROR") || $0.contains("WARNING") }.isEmpty)
            }
        }
    }
}

extension JSONObject {
    /// The same request, answered in one piece.
    var unstreamed: JSONObject {
        var copy = self
        copy["stream"] = false
        return copy
    }
}
