import Foundation
import HTTPFront
import JSON
import Messages
import ServerSettings
import Testing

/// Real exchanges with SGLang over OpenAI's routes: given what its engine produced, this front answers with the same JSON.
@Suite struct OpenAIRecordingTests {
    static let all = RecordingTests.exchanges(in: "openai.jsonl").filter {
        ["/v1/completions", "/v1/chat/completions"].contains($0.path)
    }
    /// Answers that need an engine.
    static let generated = all.filter { $0.status == 200 }
    /// Refusals by the front itself; what is too long only the tokenizer manager knows.
    static let refused = all.filter { $0.status != 200 && $0.name != "too long" }

    @Test func thereAreEnough() {
        #expect(Self.generated.count > 35)
        #expect(Self.refused.count > 12)
    }

    @Test(arguments: generated) func answersAsRecorded(_ exchange: RecordingTests.Exchange) async throws {
        let server = LocalFront { OpenAIPipe(exchange).answer($0) }
        let answer = try await server.front.answer(
            exchange.method, exchange.path, headers: [("Content-Type", "application/json")], body: exchange.bytes)
        #expect(answer.status == 200)
        let (recorded, answered) = (try Self.parse(exchange.body), try Self.parse(answer.body))
        try #require(recorded.count == answered.count, "\(answer.body)")
        for (a, b) in zip(recorded, answered) { try Self.compare(a, b, exchange.name) }
    }

    @Test(arguments: refused) func refusesAsRecorded(_ exchange: RecordingTests.Exchange) async throws {
        let type = exchange.name == "wrong content type" ? "text/plain" : "application/json"
        let answer = try await LocalFront().front.answer(
            exchange.method, exchange.path, headers: [("Content-Type", type)], body: exchange.bytes)
        #expect(answer.status == exchange.status)
        let (a, b) = (try JSON.parse(exchange.body), try JSON.parse(answer.body))
        #expect(a.objectValue?.keys == b.objectValue?.keys)
        for key in ["object", "type", "code", "param"] { #expect(a[key] == b[key], "\(key)") }
        if a["message"]?.stringValue?.contains("validation error") == false { #expect(a["message"] == b["message"]) }
    }

    /// The parts of an answer, those of one choice together.
    private static func parse(_ body: String) throws -> [JSONValue] {
        guard body.hasPrefix("data: ") else { return [try JSON.parse(body)] }
        let frames = try body.split(separator: "\n").map { line -> JSONValue in
            line == "data: [DONE]" ? "[DONE]" : try JSON.parse(String(line.dropFirst("data: ".count)))
        }
        let index = { (frame: JSONValue) in frame["choices"]?[0]?["index"]?.intValue ?? Int.max }
        return frames.enumerated().sorted { (index($0.1), $0.0) < (index($1.1), $1.0) }.map(\.element)
    }

    private static func compare(_ a: JSONValue, _ b: JSONValue, _ path: String) throws {
        switch (a, b) {
        case (.object(let a), .object(let b)):
            try #require(a.keys == b.keys, "\(path): \(b.keys)\nrecorded \(a.keys)")
            for (key, value) in a where key != "id" && key != "created" {
                try compare(value, b[key]!, path + "." + key)
            }
        case (.array(let a), .array(let b)):
            try #require(a.count == b.count, "\(path)")
            for (a, b) in zip(a, b) { try compare(a, b, path + "[]") }
        case (.double(let a), .double(let b)): try #require(abs(a - b) < 1e-6, "\(path)")
        default: try #require(a == b, "\(path): \(b), recorded \(a)")
        }
    }
}

/// Stands for the engine of the recordings: gives the tokens that a recorded answer tells of.
private struct OpenAIPipe: Sendable {
    /// A token as far as the answer shows it.
    struct Token {
        var text: String
        var logprob: (value: Float, top: [(text: String, value: Float)])?
    }

    /// The choices of an answer.
    private let choices: [(tokens: [Token], finish: FinishReason)]
    private let prompt: [Token]
    private let promptTokens: [Int]
    private let counts: [Int]

    init(_ exchange: RecordingTests.Exchange) {
        let isStream = exchange.body.hasPrefix("data: ")
        let objects: [JSONValue] =
            isStream
            ? exchange.body.split(separator: "\n").dropLast().compactMap { try? JSON.parse(String($0.dropFirst(6))) }
            : [try! JSON.parse(exchange.body)]
        let parts = objects.flatMap { $0["choices"]?.arrayValue ?? [] }
        let count = 1 + (parts.map { $0["index"]!.intValue! }.max() ?? 0)
        let echo = exchange.request["echo"] == true ? exchange.request["prompt"]?.stringValue ?? "" : ""
        let usage = objects.compactMap { $0["usage"] }.last { !$0.isNull }
        var prompt: [Token] = []
        var choices: [(tokens: [Token], finish: FinishReason)] = []
        for index in 0..<count {
            var tokens: [Token] = []
            var finish = FinishReason()
            for part in parts where part["index"]?.intValue == index {
                let text = part["text"] ?? part["message"]?["content"] ?? part["delta"]?["content"]
                let logprobs = Self.logprobs(part["logprobs"])
                let own = logprobs.isEmpty ? [Token(text: text?.stringValue ?? "")] : logprobs
                tokens += own.filter { !$0.text.isEmpty }
                if let reason = part["finish_reason"]?.stringValue {
                    finish = Self.finish(reason, part["matched_stop"], tokens.count)
                }
            }
            if !echo.isEmpty {
                if tokens.first?.logprob == nil {
                    tokens[0].text.removeFirst(echo.count)
                } else {
                    let known = usage?["prompt_tokens"]?.intValue ?? 0
                    prompt = Array(tokens[..<known])
                    tokens.removeFirst(known)
                }
            }
            choices.append((tokens, finish))
        }
        (self.choices, self.prompt) = (choices, prompt)
        // Of several rows, the first of a prompt stands for all: the sums have to be right.
        let samples = exchange.request["n"]?.intValue ?? 1
        let all = usage?["prompt_tokens"]?.intValue ?? 1
        promptTokens = choices.indices.map { $0 == 0 || samples > 1 ? all - (samples > 1 ? 0 : choices.count - 1) : 1 }
        let ends = objects.first?["metadata"]?["weight_versions"]?[0]?["end"]?.intValue
        let completion = usage?["completion_tokens"]?.intValue
        counts = choices.indices.map { index in ends ?? (completion ?? 0) / choices.count * (index >= 0 ? 1 : 0) }
    }

    private static func logprobs(_ value: JSONValue?) -> [Token] {
        if let content = value?["content"]?.arrayValue {
            return content.map { token in
                let top = token["top_logprobs"]!.arrayValue!.map {
                    ($0["token"]!.stringValue!, Float($0["logprob"]!.doubleValue!))
                }
                return Token(
                    text: token["token"]!.stringValue!, logprob: (Float(token["logprob"]!.doubleValue!), top))
            }
        }
        guard let texts = value?["tokens"]?.arrayValue else { return [] }
        return texts.indices.map { index in
            let top = value?["top_logprobs"]?[index]?.objectValue ?? [:]
            return Token(
                text: texts[index].stringValue!,
                logprob: (
                    Float(value?["token_logprobs"]?[index]?.doubleValue ?? .nan),
                    top.map { ($0, Float($1.doubleValue!)) }
                ))
        }
    }

    private static func finish(_ reason: String, _ matched: JSONValue?, _ count: Int) -> FinishReason {
        .make {
            switch (reason, matched) {
            case ("stop", .string(let text)?): $0.stopString = text
            case ("stop", .int(let id)?): $0.stopToken = Int32(id)
            default: $0.length = Int32(count)
            }
        }
    }

    func answer(_ command: TokenizerCommand) -> [FrontReply] {
        guard case .generate(let request)? = command.command else { return [] }
        let first = UInt64(1) << 40 + 1
        let index = Int(request.key.id - first)
        let (tokens, finish) = choices[index]
        let isStream = request.options.stream
        // A stop token leaves no text; one that is not shown is added so that the counts are those of the recording.
        let hidden = max(0, counts[index] - tokens.count)
        let pieces: [[Token]] = isStream ? tokens.map { [$0] } : [tokens]
        var replies: [FrontReply] = []
        var (ids, bytes) = (0, 0)
        for (place, piece) in (pieces.isEmpty ? [[]] : pieces).enumerated() {
            let isLast = place >= pieces.count - 1
            let isShown = !(isLast && hidden > 0 && isStream)
            replies.append(
                batch(
                    request, index, piece, at: (ids, bytes), extra: isLast && !isStream ? hidden : 0,
                    finish: isLast && isShown ? finish : .init()))
            ids += piece.count
            bytes += piece.reduce(0) { $0 + $1.text.utf8.count }
            if !isShown {
                replies.append(batch(request, index, [], at: (ids, bytes), extra: hidden, finish: finish))
            }
        }
        return replies
    }

    private func batch(
        _ request: Generate, _ index: Int, _ tokens: [Token], at place: (ids: Int, bytes: Int), extra: Int,
        finish: FinishReason
    ) -> FrontReply {
        let count = min(max(0, tokens.count), Int.max) + extra
        return .make {
            $0.text = .make {
                $0.requestIds = [request.key.id]
                $0.attempts = [0]
                $0.offsets = [UInt32(place.ids)]
                $0.counts = [UInt32(count)]
                $0.ids = Array(repeating: 7, count: count)
                $0.textOffsets = [UInt32(place.bytes)]
                $0.texts = [tokens.map(\.text).joined()]
                $0.finish = [finish]
                $0.promptTokens = [UInt32(promptTokens[index])]
                $0.cachedTokens = [0]
                $0.retractions = [0]
                if request.hasLogprobs { $0.logprobs = [logprobs(tokens, isFirst: place.ids == 0)] }
            }
        }
    }

    private func logprobs(_ tokens: [Token], isFirst: Bool) -> LogprobFrame {
        .make {
            $0.output = Self.run(tokens.map { ($0.text, $0.logprob?.value ?? 0) })
            $0.outputTop = Self.run(tokens.flatMap { $0.logprob?.top ?? [] })
            guard isFirst, !prompt.isEmpty else { return }
            $0.input = .make {
                $0.tokens = Self.run(prompt.map { ($0.text, $0.logprob?.value ?? .nan) })
                $0.top = Self.run(prompt.dropFirst().flatMap { $0.logprob?.top ?? [] })
            }
        }
    }

    private static func run(_ tokens: [(text: String, value: Float)]) -> TokenLogprobs {
        .make {
            $0.values = tokens.map(\.value)
            $0.ids = tokens.map { _ in 7 }
            $0.texts = tokens.map(\.text)
        }
    }
}
