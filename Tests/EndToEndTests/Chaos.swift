import Foundation
import Glibc
import JSON
import TestSupport
import Testing
import Values

/// One storm over one server: clients work, processes die, and every answer is compared with an undisturbed one.
///
/// `SRT_CHAOS_MINUTES` makes it a long one, `SRT_CHAOS_MODEL` is a model folder or file for it, `SRT_CHAOS_LOAD` says what is asked
/// of it, `SRT_CHAOS_FLAGS` are more flags of the server, `SRT_CHAOS_SEED` repeats an order of deaths, and with `SRT_CHAOS_FRONT` the front
/// dies too. Processes are killed, told to end, or stopped so
/// that they hang; never made to crash, since two crashes of the worker rightly fail the requests that it was running.
struct Chaos: Sendable {
    /// What clients ask for.
    enum Load: String {
        case answers, embeddings, ranks
        /// Chats that think and call tools, by a model that says what it is told.
        case calls
        /// Answers that have to fit grammars.
        case grammars
    }

    /// How a server runs.
    struct Variant: Sendable, CustomTestStringConvertible {
        let name: String
        let flags: [String]
        /// What it serves.
        var model = Chaos.model
        var load = Load.answers
        var testDescription: String { name }
    }

    /// How long a storm lasts and how dense it is.
    struct Pace: Sendable {
        /// Length, or 0: until there were enough kills.
        var seconds = 0.0
        var leastKills = 8
        var clients = 8
        var kinds = 12
        /// Seconds between two kills; chosen anew each time.
        var between = 2.0..<3.2
        /// One kill of so many is a stop instead, which hangs for ten seconds; 0: none.
        var stopsOneOf: UInt64 = 0
        /// Seconds a client waits between two requests.
        var thinking = 0.0
    }

    static let minutes = number("SRT_CHAOS_MINUTES")
    static let model = environment("SRT_CHAOS_MODEL") ?? Workload.model
    static let includesFront = number("SRT_CHAOS_FRONT") > 0
    static let variants: [Variant] = {
        let model = environment("SRT_CHAOS_MODEL")
        guard let name = environment("SRT_CHAOS_LOAD") else {
            // The short storms have another suite for vectors.
            let vectors = minutes == 0 || model != nil ? [] : vectors(.embeddings, nil) + vectors(.ranks, nil)
            return generations + (model == nil ? [experts, windows, calls, bound(nil)] : []) + vectors
        }
        guard let load = Load(rawValue: name) else { preconditionFailure("SRT_CHAOS_LOAD names no load: \(name)") }
        switch load {
        case .answers: return generations
        case .calls: return [calls]
        case .grammars: return [bound(model)]
        case .embeddings, .ranks: return vectors(load, model)
        }
    }()
    private static let flags =
        ["--max-restarts", "1000", "--tp", "2"]
        + (environment("SRT_CHAOS_FLAGS") ?? "").split(separator: " ").map(String.init)
    private static let generationFlags =
        flags + ["--incremental-streaming-output", "--tool-call-parser", "hermes", "--reasoning-parser", "qwen3"]
    private static let int8 = ["--quantization", "w8a8_int8"]
    private static let generations = [
        Variant(name: "tp 2, bf16", flags: generationFlags),
        Variant(
            name: "tp 2, int8 weights and cache", flags: generationFlags + int8 + ["--kv-cache-dtype", "int8"]),
    ]
    private static let experts = Variant(name: "tp 2, experts", flags: generationFlags, model: "qwen3moe")
    private static let windows = Variant(name: "tp 2, windows and sinks", flags: generationFlags, model: "gpt-oss")

    private static let calls = Variant(
        name: "tp 2, thoughts and calls of tools", flags: flags + ToolChats.flags, load: .calls)

    /// Answers that have to fit grammars, in a pool in which they do not have all room together.
    private static func bound(_ model: String?) -> Variant {
        let pool = [
            "--max-total-tokens", model == nil ? "3000" : "12000", "--constrained-json-max-whitespace-cnt", "1",
        ]
        return Variant(
            name: "tp 2, grammars", flags: generationFlags + pool, model: model ?? Workload.model, load: .grammars)
    }

    /// Servers of vectors or of ranks, with a model or with tiny ones.
    private static func vectors(_ load: Load, _ model: String?) -> [Variant] {
        let tiny = load == .ranks ? ["xlmr-pairs"] : ["bert-mean", "qwen2-tied"]
        return (model.map { [$0] } ?? tiny).flatMap { model in
            [("bf16", []), ("int8", int8)].map { name, more in
                Variant(
                    name: "\(load), \(model), tp 2, \(name)", flags: flags + ["--is-embedding"] + more, model: model,
                    load: load)
            }
        }
    }

    /// The pace that the environment asks for.
    static let pace =
        minutes == 0
        ? Pace()
        : Pace(
            seconds: Double(minutes) * 60, leastKills: minutes * 20, clients: 24, kinds: 24, stopsOneOf: 40)

    private let server: Server
    private let pace: Pace
    private let titles: [String]
    /// What is asked where no text is wanted.
    private let vectors: VectorStorm?
    /// What is asked where tools are to be called.
    private let calls: [JSONObject]?
    /// What is asked where texts have to fit grammars.
    private let bound: BoundStorm?
    private var kinds: Int { vectors?.questions.count ?? calls?.count ?? bound?.kinds ?? pace.kinds }

    /// - Parameter includesFront: the front dies, too, and clients ask again when their connection breaks.
    init(_ server: Server, _ pace: Pace = Chaos.pace, load: Load = .answers, includesFront: Bool) throws {
        self.server = server
        var pace = pace
        if load == .grammars, pace.seconds > 0 { pace.clients = BoundStorm.clients }
        self.pace = pace
        switch load {
        case .answers, .calls, .grammars: vectors = nil
        case .embeddings: vectors = .embeddings(server)
        case .ranks: vectors = .reranks(server)
        }
        calls = load == .calls ? try (0..<pace.kinds / 3).map { try ToolChats.body($0, on: server) } : nil
        bound = load == .grammars ? BoundStorm(server: server) : nil
        let ranks = [Title.worker + "_TP0", Title.worker + "_TP1"]
        titles = [Title.tokenizer, Title.detokenizer] + ranks + (includesFront ? [Title.http] : [])
    }

    /// A variable of the environment.
    static func environment(_ name: String) -> String? {
        ProcessInfo.processInfo.environment[name].flatMap { $0.isEmpty ? nil : $0 }
    }

    /// A variable of the environment that is a number; 0 when it is none.
    static func number(_ name: String) -> Int { environment(name).flatMap { Int($0) } ?? 0 }

    /// Greedy and seeded ones, with and without log probabilities, of many lengths.
    private static func request(_ kind: Int) -> JSONObject {
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

    /// A third of the load are chats: thoughts and calls of tools are looked for in what they say.
    private static func isChat(_ kind: Int) -> Bool { kind % 3 == 2 }

    private static func chat(_ kind: Int) -> JSONObject {
        [
            "messages": [
                ["role": "system", "content": .string("You keep the lamp of day \(kind).")],
                ["role": "user", "content": "水位は? Count the steps."],
            ],
            "tools": [["type": "function", "function": ["name": "climb", "parameters": ["type": "object"]]]],
            "max_tokens": .int(Int64(24 + kind * 5 % 90)), "ignore_eos": true, "seed": .int(Int64(500 + kind)),
            "temperature": kind % 2 == 0 ? 0 : 0.9, "n": kind % 4 == 0 ? 2 : 1, "logprobs": .bool(kind % 5 < 2),
            "top_logprobs": 1, "stream": .bool(kind % 2 == 0), "stream_options": ["include_usage": true],
            "reasoning_effort": kind % 6 == 5 ? 0.3 : .null,
        ]
    }

    private static func isStream(_ kind: Int) -> Bool { kind % 3 != 1 && kind % 5 != 3 }

    /// What every kind of request gives when nothing happens.
    func undisturbed() throws -> [[Outcome]] { try (0..<kinds).map { try ask($0, onGap: { _ in }) } }

    /// What of answers to every kind does not fit its grammar.
    func faults(of answers: [[Outcome]]) -> [String] {
        guard let bound else { return [] }
        let ended = answers.joined().count { BoundStorm.hasEnded($0) }
        let few = ended * 2 < answers.joined().count ? ["only \(ended) answers ended by themselves"] : []
        return few + answers.enumerated().flatMap { kind, outcomes in bound.faults(of: kind, outcomes) }
    }

    /// Sends a request of a kind; one outcome, or two where two samples were asked for.
    private func ask(_ kind: Int, onGap: (Double) -> Void) throws -> [Outcome] {
        if let vectors {
            let start = Date()
            defer { onGap(Date().timeIntervalSince(start)) }
            return [try vectors.outcome(of: kind)]
        }
        if let calls { return try ask(calls[kind], onGap: onGap) }
        if let bound { return try bound.outcomes(of: kind, onGap: onGap) }
        guard !Self.isChat(kind) else { return try ask(Self.chat(kind), onGap: onGap) }
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

    private func ask(_ chat: JSONObject, onGap: (Double) -> Void) throws -> [Outcome] {
        var last = Date()
        let answer = try server.chat(chat) { _ in
            onGap(Date().timeIntervalSince(last))
            last = Date()
        }
        return answer.choices.map { choice in
            Outcome(
                text: "\(choice.reasoning)|\(choice.content)|\(choice.calls)", ids: [], finish: choice.finish,
                promptTokens: 0, completionTokens: answer.completionTokens, logprobs: ["chat": choice.logprobs])
        }
    }

    // MARK: The storm

    /// Lets clients work and kills processes meanwhile.
    ///
    /// - Parameter watch: called after every kill and every few seconds, with the seconds since the start.
    func run(comparingWith expected: [[Outcome]], watch: (Double) throws -> Void = { _ in }) throws -> ChaosReport {
        let board = EventBoard(ChaosReport())
        let isOver = EventBoard(false)
        let crew = started(pace.clients) { client in
            var kind = client
            while !isOver.now {
                kind = (kind + 1) % kinds
                work(kind, expected[kind], board)
                if pace.thinking > 0 { _ = isOver.wait(seconds: pace.thinking) { $0 ? () : nil } }
            }
        }
        let start = Date()
        do {
            try killUntilEnough(board, since: start, watch)
        } catch {
            isOver.update { $0 = true }
            throw error
        }
        isOver.update { $0 = true }
        _ = try crew.results()
        var report = board.now
        report.seconds = Date().timeIntervalSince(start)
        return report
    }

    /// Does one request; where the front may die it is asked again until there is an answer.
    private func work(_ kind: Int, _ expected: [Outcome], _ board: EventBoard<ChaosReport>) {
        while true {
            do {
                let found = try ask(kind) { gap in board.update { $0.longestGap = max($0.longestGap, gap) } }
                return board.update { report in
                    report.requests += 1
                    if found != expected { report.different += 1 }
                    report.invalid += (bound?.faults(of: kind, found) ?? []).map { "kind \(kind): \($0)" }
                }
            } catch ConnectionError.lost where titles.contains(Title.http) {
                board.update { $0.lostConnections += 1 }
            } catch ConnectionError.refused {
                return board.update { $0.refusals += 1 }
            } catch {
                return board.update { $0.failures.append("kind \(kind): \(error)") }
            }
        }
    }

    /// Ends one process after the other: SIGKILL mostly, now and then SIGTERM or a stop that makes it hang.
    private func killUntilEnough(
        _ board: EventBoard<ChaosReport>, since start: Date, _ watch: (Double) throws -> Void
    ) throws {
        var random = SplitMix64(seed: UInt64(Self.environment("SRT_CHAOS_SEED") ?? "") ?? 42)
        while pace.seconds > 0 ? -start.timeIntervalSinceNow < pace.seconds : board.now.kills < pace.leastKills {
            try pause(board, Double.random(in: pace.between, using: &random), start, watch)
            let title = titles[Int(random.next() % UInt64(titles.count))]
            guard let pid = try server.table()[title]?["pid"]?.intValue, pid > 0 else { continue }
            let hangs = pace.stopsOneOf > 0 && random.next() % pace.stopsOneOf == 0
            let signal = hangs ? SIGSTOP : random.next() % 8 == 0 ? SIGTERM : SIGKILL
            guard Glibc.kill(pid_t(pid), signal) == 0 else { continue }
            board.update { report in
                report.kills += 1
                let way = signal == SIGSTOP ? " (stopped)" : signal == SIGTERM ? " (SIGTERM)" : ""
                report.killsByTitle[title + way, default: 0] += 1
            }
        }
    }

    /// Waits until the next kill is due: after a time, or, in a storm without a length, already after some answers.
    private func pause(
        _ board: EventBoard<ChaosReport>, _ seconds: Double, _ start: Date, _ watch: (Double) throws -> Void
    ) throws {
        let end = Date(timeIntervalSinceNow: seconds)
        let seen = board.now.requests
        while true {
            try watch(-start.timeIntervalSinceNow)
            let rest = min(5, end.timeIntervalSinceNow)
            guard rest > 0 else { return }
            let enough: Void? = board.wait(seconds: rest) {
                pace.seconds == 0 && $0.requests > seen + 4 ? () : nil
            }
            if enough != nil { return }
        }
    }
}

/// What came of a storm.
struct ChaosReport: CustomStringConvertible {
    var requests = 0
    var different = 0
    var failures: [String] = []
    /// Answers that do not fit their grammar.
    var invalid: [String] = []
    var kills = 0
    var killsByTitle: [String: Int] = [:]
    /// Connections that broke before their answer was complete; none unless the front was killed.
    var lostConnections = 0
    /// Connections that were not accepted.
    var refusals = 0
    var longestGap = 0.0
    var seconds = 0.0

    var description: String {
        let list = killsByTitle.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }.joined(separator: ", ")
        return
            "chaos: \(Int(seconds)) s, \(kills) kills (\(list)), \(requests) requests, \(failures.count) failed, "
            + "\(different) texts differ, \(invalid.count) do not fit, \(lostConnections) connections lost, \(refusals) refused, "
            + "longest wait for a frame or an answer \(Int(longestGap * 1000)) ms"
    }
}
