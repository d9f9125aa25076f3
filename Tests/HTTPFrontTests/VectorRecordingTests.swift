import Foundation
import HTTPFront
import JSON
import Messages
import ServerSettings
import Testing

/// Real exchanges with SGLang serving MiniLM, a cross-encoder and a reward model, their vectors cut to eight numbers: given what its
/// engine produced, this front must answer with the same JSON, keys in the same order.
@Suite struct VectorRecordingTests {
    struct Exchange: Sendable, CustomTestStringConvertible {
        let server: String
        let name: String
        let method: String
        let path: String
        let request: JSONValue
        let status: Int
        let body: String
        var testDescription: String { "\(server): \(name)" }
    }

    static let all: [Exchange] = {
        let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent(
            "Fixtures/vectors.jsonl")
        let text = try! String(contentsOf: file, encoding: .utf8)
        return text.split(separator: "\n").map { line in
            let value = try! JSON.parse(String(line))
            return Exchange(
                server: value["server"]!.stringValue!, name: value["name"]!.stringValue!,
                method: value["method"]!.stringValue!, path: value["path"]!.stringValue!, request: value["request"]!,
                status: value["status"]!.intValue!, body: value["body"]!.stringValue!)
        }
    }()

    static let answered = all.filter { $0.status == 200 && !$0.path.contains("model_info") }
    static let refused = all.filter { $0.status != 200 }

    @Test func thereAreEnough() {
        #expect(Self.answered.count > 15 && Self.refused.count > 10)
    }

    private func front(_ exchange: Exchange) -> LocalFront {
        let kinds: [String: TaskFacts.Kind] = [
            "embedding": .embedding, "rerank": .crossEncoder, "reward": .classification,
        ]
        let pipe = RecordedVectors(exchange)
        var settings = ServerSettings()
        settings.modelPath = "all-MiniLM-L6-v2"
        settings.servedModelName = "m"
        let task = TaskFacts.make { task in
            (task.kind, task.width) = (kinds[exchange.server]!, 8)
            guard exchange.server != "reward" else { return (task.sharesPrefixes, task.cutsPrompts) = (true, true) }
            (task.pooling, task.normalizes, task.bidirectional) = ("cls", true, true)
        }
        return LocalFront(FrontSettings(settings), task: task) { pipe.answer($0) }
    }

    private func ask(_ exchange: Exchange) async throws -> (status: Int, body: String) {
        let answer = try await front(exchange).front.answer(
            exchange.method, exchange.path, headers: [("Content-Type", "application/json")],
            body: exchange.request.isNull ? [] : JSON.encode(exchange.request))
        return (answer.status, answer.body)
    }

    @Test(arguments: answered) func answersAsRecorded(_ exchange: Exchange) async throws {
        let answer = try await ask(exchange)
        try #require(answer.status == 200, "\(answer.body)")
        try compare(try JSON.parse(exchange.body), try JSON.parse(answer.body), exchange.name)
    }

    @Test(arguments: refused) func refusesAsRecorded(_ exchange: Exchange) async throws {
        let answer = try await ask(exchange)
        #expect(answer.status == exchange.status)
        if exchange.body.contains("validation error") {
            let (ours, theirs) = (try JSON.parse(answer.body), try JSON.parse(exchange.body))
            #expect(ours.objectValue?.keys == theirs.objectValue?.keys)
            #expect(ours["type"] == theirs["type"] && ours["code"] == theirs["code"])
            // The sentence is Python's; the field is the client's.
            let field = try #require(exchange.body.firstMatch(of: /'loc': \('body', '([a-z_]+)'/)?.1)
            #expect(ours["message"]?.stringValue?.contains("body.\(field)") == true, "\(answer.body)")
        } else {
            #expect(answer.body == exchange.body)
        }
    }

    @Test(arguments: all.filter { $0.path == "/model_info" }) func modelInfoHasTheReferencesKeys(_ exchange: Exchange)
        async throws
    {
        let (ours, theirs) = (try JSON.parse(try await ask(exchange).body), try JSON.parse(exchange.body))
        #expect(ours.objectValue?.keys == theirs.objectValue?.keys && ours["is_generation"] == false)
        for name in ["embedding", "cache"] {
            let (a, b) = (ours["embedding"], theirs["embedding"])
            let (inner, recorded) = name == "cache" ? (a?["cache"], b?["cache"]) : (a, b)
            #expect(inner?.objectValue?.keys == recorded?.objectValue?.keys)
        }
        let (facts, recorded) = (ours["embedding"]?.objectValue, theirs["embedding"]?.objectValue)
        // What the model is called is not known here, and the recorded reward model was cut as our decoders are.
        for (key, value) in recorded ?? [:] where key != "family" {
            #expect(facts?[key] == value, "\(key)")
        }
    }

    /// Same keys in the same order, same values but for times and made-up ids; numbers are the same floats.
    private func compare(_ a: JSONValue, _ b: JSONValue, _ path: String) throws {
        switch (a, b) {
        case (.object(let a), .object(let b)):
            try #require(a.keys == b.keys, "\(path): \(b.keys)\nrecorded \(a.keys)")
            for (key, value) in a where !Self.isVolatile(key) { try compare(value, b[key]!, path + "." + key) }
        case (.array(let a), .array(let b)):
            try #require(a.count == b.count, "\(path)")
            for (a, b) in zip(a, b) { try compare(a, b, path + "[]") }
        case (.double(let a), .double(let b)): try #require(Float(a) == Float(b), "\(path): \(b), recorded \(a)")
        default: try #require(a == b, "\(path): \(b), recorded \(a)")
        }
    }

    private static func isVolatile(_ key: String) -> Bool {
        ["id", "created"].contains(key) || ["_ts", "_latency"].contains { key.hasSuffix($0) }
    }
}

/// Stands for the engine of the recordings: sends the vectors that a recorded answer holds, in the order of the request's texts.
private struct RecordedVectors: Sendable {
    private let rows: [(vector: [Float], tokens: Int)]

    init(_ exchange: VectorRecordingTests.Exchange) {
        guard exchange.status == 200, !exchange.path.contains("model_info"), let value = try? JSON.parse(exchange.body)
        else {
            rows = []
            return
        }
        if let data = value["data"]?.arrayValue {
            let tokens = value["usage"]?["prompt_tokens"]?.intValue ?? 0
            rows = data.enumerated().map { ($1["embedding"].map(Self.floats) ?? [1], $0 == 0 ? tokens : 0) }
        } else {
            let items = value.arrayValue ?? [value]
            // Answers of /v1/rerank are sorted, and may be cut: what is not told scored less.
            let asked = exchange.request["documents"]?.arrayValue?.count ?? items.count
            rows = (0..<asked).map { place in
                let item = items.first { $0["index"]?.intValue ?? place == place && $0["index"] != nil }
                let isSorted = items.first?["index"] != nil
                guard let found = item ?? (isSorted ? Optional.none : items[place]) else { return ([-100], 1) }
                let vector = found["embedding"].map(Self.floats) ?? [Float(found["score"]?.doubleValue ?? 0)]
                return (vector, found["meta_info"]?["prompt_tokens"]?.intValue ?? 0)
            }
        }
    }

    private static func floats(_ value: JSONValue) -> [Float] {
        if let text = value.stringValue {
            return Data(base64Encoded: text)!.withUnsafeBytes { Array($0.bindMemory(to: Float.self)) }
        }
        return value.arrayValue!.map { Float($0.doubleValue!) }
    }

    func answer(_ command: TokenizerCommand) -> [FrontReply] {
        let first = UInt64(1) << 40 + 1
        // The rows of an HTTP request have consecutive ids.
        return command.embeds.requests.map { request in
            let row = rows[Int(request.key.id - first)]
            return .make {
                $0.vectors = .make {
                    $0.requestIds = [request.key.id]
                    ($0.attempts, $0.cachedTokens, $0.retractions) = ([0], [0], [0])
                    $0.counts = [UInt32(row.vector.count)]
                    $0.values = row.vector
                    $0.promptTokens = [UInt32(row.tokens)]
                }
            }
        }
    }
}
