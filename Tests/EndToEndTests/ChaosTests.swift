import Foundation
import Glibc
import JSON
import Testing

extension EndToEndTests {
    /// Random deaths and hangs under a mixed load; then an exact comparison with undisturbed answers, and an audit.
    ///
    /// `make chaos` runs it for minutes and on real models (see `Chaos`); without that it is a few deaths on a tiny model.
    @Suite(.serialized, .timeLimit(.minutes(Chaos.minutes + 10))) struct ChaosTests {
        @Test(arguments: Chaos.variants) func nothingIsLostWhateverIsKilled(_ variant: Chaos.Variant) throws {
            try withServer(Chaos.model, variant.flags, dtype: "bfloat16") { server in
                let chaos = Chaos(server, variant)
                let expected = try chaos.undisturbed()
                let before = try chaos.settledDescriptors()
                let report = try chaos.run(comparingWith: expected)
                print(report)
                #expect(report.failures == [])
                #expect(report.different == 0)
                #expect(report.kills >= Chaos.leastKills)
                #expect(report.requests > 0)
                // After the storm each request gives what it gave before, and nothing is held for anyone.
                #expect(try chaos.undisturbed() == expected)
                let after = try chaos.settledDescriptors()
                for (title, count) in after { #expect(count <= (before[title] ?? 0) + 2, "descriptors of \(title)") }
                #expect(chaos.zombies == [])
                let stopped = try server.stop()
                #expect(stopped.ending == .code(0) && stopped.leftovers == [])
            }
        }
    }
}

/// One storm over one server.
///
/// `SRT_CHAOS_MINUTES` makes it a long one, `SRT_CHAOS_MODEL` is a model folder or file for it, and `SRT_CHAOS_SEED`
/// repeats an order of deaths.
struct Chaos: Sendable {
    /// How a server runs.
    struct Variant: Sendable, CustomTestStringConvertible {
        let name: String
        let flags: [String]
        var testDescription: String { name }
    }

    /// What came of a storm.
    struct Report: CustomStringConvertible {
        var requests = 0
        var different = 0
        var failures: [String] = []
        var kills = 0
        var killsByTitle: [String: Int] = [:]
        var longestGap = 0.0
        var seconds = 0.0

        var description: String {
            let list = killsByTitle.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }.joined(separator: ", ")
            return
                "chaos: \(Int(seconds)) s, \(kills) kills (\(list)), \(requests) requests, \(failures.count) failed, "
                + "\(different) texts differ, longest gap of a stream \(Int(longestGap * 1000)) ms"
        }
    }

    static let minutes = environment("SRT_CHAOS_MINUTES").flatMap { Int($0) } ?? 0
    static let model = environment("SRT_CHAOS_MODEL") ?? Workload.model
    static let leastKills = minutes > 0 ? minutes * 20 : 8
    static let variants: [Variant] = {
        let flags = ["--max-restarts", "1000", "--incremental-streaming-output", "--tp", "2"]
        let plain = Variant(name: "tp 2, bf16", flags: flags)
        let int8 = Variant(
            name: "tp 2, int8 weights and cache",
            flags: flags + ["--quantization", "w8a8_int8", "--kv-cache-dtype", "int8"])
        return [plain, int8]
    }()
    private static let clients = minutes > 0 ? 24 : 8
    private static let kinds = minutes > 0 ? 24 : 12

    private let server: Server
    private let titles: [String]

    init(_ server: Server, _ variant: Variant) {
        self.server = server
        titles = [Title.tokenizer, Title.detokenizer, Title.worker + "_TP0", Title.worker + "_TP1"]
    }

    private static func environment(_ name: String) -> String? { ProcessInfo.processInfo.environment[name] }

    /// Greedy and seeded ones, with and without log probabilities, of many lengths.
    static func request(_ kind: Int) -> JSONObject {
        var sampling: JSONObject = ["max_new_tokens": .int(Int64(24 + kind * 5 % 90)), "ignore_eos": true]
        sampling["temperature"] = kind % 2 == 0 ? 0 : 0.9
        if kind % 2 == 1 { sampling["sampling_seed"] = .int(Int64(500 + kind)) }
        if kind % 5 == 3 { sampling["n"] = 2 }
        if kind % 7 == 2 { sampling["presence_penalty"] = 0.5 }
        return [
            "text": .string("Day \(kind): the keeper climbed 94 steps, 水位は上がった, and wrote that "),
            "sampling_params": .object(sampling), "return_logprob": .bool(kind % 3 == 0),
        ]
    }

    private static func isStream(_ kind: Int) -> Bool { kind % 3 != 1 && kind % 5 != 3 }

    /// What every kind of request gives when nothing happens.
    func undisturbed() throws -> [[Outcome]] {
        try (0..<Self.kinds).map { try ask($0, onGap: { _ in }) }
    }

    /// Sends a request of a kind; one outcome, or two where two samples were asked for.
    private func ask(_ kind: Int, onGap: (Double) -> Void) throws -> [Outcome] {
        let body = Self.request(kind)
        guard Self.isStream(kind) else {
            let answer = try server.generate(body)
            return try (answer.arrayValue ?? [answer]).map { try Generated($0).outcome }
        }
        var last = Date()
        let whole = try server.streamed(body, incremental: true) { _ in
            onGap(Date().timeIntervalSince(last))
            last = Date()
        }
        return [whole.outcome]
    }

    /// Lets clients work and kills processes meanwhile.
    func run(comparingWith expected: [[Outcome]]) throws -> Report {
        let board = EventBoard(Report())
        let isOver = EventBoard(false)
        let crew = started(Self.clients) { client in
            var kind = client
            while !isOver.now {
                kind = (kind + 1) % Self.kinds
                do {
                    let found = try ask(kind) { gap in board.update { $0.longestGap = max($0.longestGap, gap) } }
                    board.update { report in
                        report.requests += 1
                        if found != expected[kind] { report.different += 1 }
                    }
                } catch {
                    board.update { $0.failures.append("kind \(kind): \(error)") }
                }
            }
        }
        let start = Date()
        try killUntilEnough(board, since: start)
        isOver.update { $0 = true }
        _ = try crew.results()
        var report = board.now
        report.seconds = Date().timeIntervalSince(start)
        return report
    }

    /// Kills one process after the other: SIGKILL mostly, now and then a stop that makes it hang.
    private func killUntilEnough(_ board: EventBoard<Report>, since start: Date) throws {
        var random = SplitMix64(state: UInt64(Self.environment("SRT_CHAOS_SEED") ?? "") ?? 42)
        let end = Self.minutes > 0 ? start.addingTimeInterval(Double(Self.minutes) * 60) : .distantFuture
        while Date() < end, Self.minutes > 0 || board.now.kills < Self.leastKills {
            // The next one after some answers, or after a while when there are none because one hangs.
            let seen = board.now.requests
            let pause = Self.minutes > 0 ? 1 + Double(random.next() % 200) / 100 : 2
            _ = board.wait(seconds: pause) { Self.minutes == 0 && $0.requests > seen + 4 ? true : nil }
            let title = titles[Int(random.next() % UInt64(titles.count))]
            guard let pid = try server.table()[title]?["pid"]?.intValue, pid > 0 else { continue }
            let hangs = Self.minutes > 0 && random.next() % 40 == 0
            guard Glibc.kill(pid_t(pid), hangs ? SIGSTOP : SIGKILL) == 0 else { continue }
            board.update { report in
                report.kills += 1
                report.killsByTitle[title + (hangs ? " (stopped)" : ""), default: 0] += 1
            }
        }
    }

    /// Open descriptors of every process, once all are ready and hold nothing.
    func settledDescriptors() throws -> [String: Int] {
        try server.allReady()
        try poll("not idle: \((try? server.load()).map { "\($0)" } ?? "")") {
            let load = try server.load()
            let isIdle = ["num_running_reqs", "num_waiting_reqs", "num_used_tokens"].allSatisfy { load[$0] == 0 }
            return isIdle ? () : nil
        }
        try poll("states are held for nobody") {
            try server.table().values.allSatisfy { $0["running"] == 0 && $0["queued"] == 0 } ? () : nil
        }
        return try server.table().mapValues { entry in
            let pid = entry["pid"]?.intValue ?? 0
            return (try? FileManager.default.contentsOfDirectory(atPath: "/proc/\(pid)/fd").count) ?? 0
        }
    }

    /// Dead children of the launcher that nobody has buried.
    var zombies: [String] {
        let launcher = server.process.pid
        let entries = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        return entries.filter { entry in
            guard pid_t(entry) != nil, let stat = try? String(contentsOfFile: "/proc/\(entry)/stat", encoding: .utf8),
                let end = stat.lastIndex(of: ")")
            else { return false }
            let fields = stat[stat.index(after: end)...].split(separator: " ")
            return fields.count > 1 && fields[0] == "Z" && fields[1] == "\(launcher)"
        }
    }
}
