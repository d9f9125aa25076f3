import Foundation
import HTTPFront
import JSON
import Messages
import ServerSettings
import Testing

/// Real exchanges with SGLang: given what its engine produced, this front must answer with the same JSON, keys in the same order.
@Suite struct RecordingTests {
    /// One recorded exchange.
    struct Exchange: Sendable, CustomTestStringConvertible {
        let name: String
        let method: String
        let path: String
        let request: JSONValue
        let status: Int
        let body: String
        var testDescription: String { name }

        /// The request's body as it was sent.
        var bytes: [UInt8] {
            if let text = request.stringValue, text.hasPrefix("raw:") { return Array(text.dropFirst(4).utf8) }
            return request.isNull ? [] : JSON.encode(request)
        }
    }

    static let all = exchanges(in: "native.jsonl")

    /// The exchanges of a recording.
    static func exchanges(in name: String) -> [Exchange] {
        let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent(
            "Fixtures/\(name)")
        let text = try! String(contentsOf: file, encoding: .utf8)
        return text.split(separator: "\n").map { line in
            let value = try! JSON.parse(String(line))
            return Exchange(
                name: value["name"]!.stringValue!, method: value["method"]!.stringValue!,
                path: value["path"]!.stringValue!,
                request: value["request"]!, status: value["status"]!.intValue!, body: value["body"]!.stringValue!)
        }
    }

    /// Answers of /generate, which need an engine. The reference takes no samples for one; here that is an error.
    static let generated = all.filter {
        $0.path == "/generate" && $0.status == 200 && $0.body.contains("meta_info") && $0.name != "n = 0"
    }
    /// Refusals by the front itself.
    static let refused = all.filter { exchange in
        let later = ["The input (", "Requested token count", "req.logprob_start_len"]
        return exchange.path == "/generate" && [0, 400, 404, 405, 500].contains(exchange.status)
            && !later.contains { exchange.body.contains($0) } && !exchange.name.contains("stop_regex invalid")
    }

    @Test func thereAreEnough() {
        #expect(Self.generated.count > 50)
        #expect(Self.refused.count > 25)
    }

    @Test(arguments: generated) func answersAsRecorded(_ exchange: Exchange) async throws {
        var settings = FrontSettings.served()
        settings.enableMetrics = true
        let replies = RecordedPipe(exchange)
        let server = LocalFront(settings) { replies.answer($0) }
        if exchange.name.contains("session") {
            _ = try await server.post("/open_session", #"{"capacity_of_str_len":1000,"session_id":"s1"}"#)
        }
        let answer = try await server.front.answer(exchange.method, exchange.path, body: exchange.bytes)
        #expect(answer.status == 200)
        try compare(parse(exchange.body), parse(answer.body), exchange.name)
    }

    @Test(arguments: refused) func refusesAsRecorded(_ exchange: Exchange) async throws {
        let server = LocalFront()
        let answer = try await server.front.answer(exchange.method, exchange.path, body: exchange.bytes)
        if [0, 500].contains(exchange.status) {
            #expect((400..<500).contains(answer.status))
            return
        }
        #expect(answer.status == exchange.status)
        if exchange.body.contains("validation error") {
            let (keys, recorded) = (
                try JSON.parse(answer.body).objectValue?.keys, try JSON.parse(exchange.body).objectValue?.keys
            )
            #expect(keys == recorded)
        } else {
            #expect(answer.body == exchange.body)
        }
    }

    private func parse(_ body: String) throws -> [JSONValue] {
        guard body.hasPrefix("data: ") else { return [try JSON.parse(body)] }
        return try body.split(separator: "\n").map { line in
            line == "data: [DONE]" ? .string("[DONE]") : try JSON.parse(String(line.dropFirst("data: ".count)))
        }
    }

    private func byIndex(_ frames: [JSONValue]) -> [JSONValue] {
        let numbered = frames.enumerated().map {
            (key: ($1["index"]?.intValue ?? ($1.stringValue == nil ? 0 : Int.max), $0), value: $1)
        }
        return numbered.sorted { $0.key < $1.key }.map(\.value)
    }

    /// Same keys in the same order, same values but for times and made-up ids.
    private func compare(_ recorded: [JSONValue], _ answered: [JSONValue], _ name: String) throws {
        try #require(recorded.count == answered.count, "\(name): \(answered.count) parts, recorded \(recorded.count)")
        // Frames of several answers interleave as they come.
        for (a, b) in zip(byIndex(recorded), byIndex(answered)) { try compare(a, b, name) }
    }

    private func compare(_ a: JSONValue, _ b: JSONValue, _ path: String) throws {
        switch (a, b) {
        case (.object(let a), .object(let b)):
            try #require(a.keys == b.keys, "\(path): \(b.keys)\nrecorded \(a.keys)")
            for (key, value) in a where !Self.isVolatile(key) { try compare(value, b[key]!, path + "." + key) }
        case (.array(let a), .array(let b)):
            try #require(a.count == b.count, "\(path)")
            for (a, b) in zip(a, b) { try compare(a, b, path + "[]") }
        default: try #require(a == b, "\(path): \(b), recorded \(a)")
        }
    }

    private static func isVolatile(_ key: String) -> Bool {
        key == "id" || ["_ts", "time", "latency", "throughput"].contains { key.hasSuffix($0) }
    }
}

/// Stands for the engine of the recordings: sends what a recorded answer holds.
private struct RecordedPipe: Sendable {
    /// For each row of the answer the objects it consists of, in order.
    private let rows: [[JSONValue]]

    init(_ exchange: RecordingTests.Exchange) {
        if exchange.body.hasPrefix("data: ") {
            let frames = exchange.body.split(separator: "\n").dropLast().compactMap {
                try? JSON.parse(String($0.dropFirst(6)))
            }
            let count = 1 + (frames.map { $0["index"]?.intValue ?? 0 }.max() ?? 0)
            rows = (0..<count).map { row in frames.filter { ($0["index"]?.intValue ?? 0) == row } }
        } else {
            let value = try! JSON.parse(exchange.body)
            rows = (value.arrayValue ?? [value]).map { [$0] }
        }
    }

    func answer(_ command: TokenizerCommand) -> [FrontReply] {
        guard case .generate(let request)? = command.command else { return [] }
        let first = UInt64(1) << 40 + 1
        // The rows of an HTTP request have consecutive ids.
        return frames(request, rows[Int(request.key.id - first)])
    }

    private func frames(_ request: Generate, _ objects: [JSONValue]) -> [FrontReply] {
        var (ids, bytes) = (0, 0)
        return objects.map { object in
            let all = object["output_ids"]!.arrayValue!.map { Int32($0.intValue!) }
            let text = object["text"]!.stringValue!
            let meta = object["meta_info"]!
            let known = ids
            let batch = TextBatch.make {
                $0.requestIds = [request.key.id]
                $0.attempts = [0]
                $0.offsets = [UInt32(ids)]
                $0.counts = [UInt32(all.count - ids)]
                $0.ids = Array(all[ids...])
                $0.textOffsets = [UInt32(bytes)]
                $0.texts = [String(decoding: Array(text.utf8)[bytes...], as: UTF8.self)]
                $0.finish = [Self.finish(meta["finish_reason"]!)]
                $0.promptTokens = [UInt32(meta["prompt_tokens"]!.intValue!)]
                $0.cachedTokens = [UInt32(meta["cached_tokens"]!.intValue!)]
                $0.retractions = [0]
                if request.hasLogprobs { $0.logprobs = [Self.logprobs(meta, from: known, isFirst: known == 0)] }
            }
            (ids, bytes) = (all.count, text.utf8.count)
            return .make { $0.text = batch }
        }
    }

    private static func finish(_ value: JSONValue) -> FinishReason {
        .make {
            switch (value["type"]?.stringValue, value["matched"]) {
            case ("length", _): $0.length = Int32(value["length"]!.intValue!)
            case ("stop", .string(let text)?): $0.stopString = text
            case ("stop", .int(let id)?): $0.stopToken = Int32(id)
            default: break
            }
        }
    }

    private static func logprobs(_ meta: JSONValue, from known: Int, isFirst: Bool) -> LogprobFrame {
        func rows(_ key: String) -> [JSONValue] { meta[key]?.arrayValue ?? [] }
        return .make {
            $0.output = run(Array(rows("output_token_logprobs").dropFirst(known)))
            $0.outputTop = run(rows("output_top_logprobs").dropFirst(known).flatMap { $0.arrayValue! })
            $0.outputChosen = run(rows("output_token_ids_logprobs").dropFirst(known).flatMap { $0.arrayValue! })
            guard isFirst, !rows("input_token_logprobs").isEmpty else { return }
            $0.input = .make {
                $0.tokens = run(rows("input_token_logprobs"))
                $0.top = run(rows("input_top_logprobs").flatMap { $0.arrayValue ?? [] })
                $0.chosen = run(rows("input_token_ids_logprobs").flatMap { $0.arrayValue ?? [] })
            }
        }
    }

    private static func run(_ tuples: [JSONValue]) -> TokenLogprobs {
        .make {
            $0.values = tuples.map { Float($0[0]!.doubleValue ?? .nan) }
            $0.ids = tuples.map { Int32($0[1]!.intValue!) }
            if tuples.contains(where: { $0[2]?.stringValue != nil }) { $0.texts = tuples.map { $0[2]!.stringValue! } }
        }
    }
}
