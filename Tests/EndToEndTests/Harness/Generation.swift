import Foundation
import JSON
import TestSupport

/// What one request gave, without what may differ between runs (times, what the cache had).
struct Outcome: Sendable, Equatable {
    var text: String
    var ids: [Int]
    var finish: JSONValue
    var promptTokens: Int
    var completionTokens: Int
    /// Lists of log probabilities by name, each element as JSON text: doubles are written so that equal texts are equal bits.
    var logprobs: [String: [String]]
}

/// An outcome and how it came.
struct Generated: Sendable {
    var outcome: Outcome
    var cachedTokens: Int
    var retractions: Int
    /// Frames of the stream; 0 when it was none.
    var frames = 0

    /// Reads an answer of /generate, or the last frame of a cumulative stream.
    init(_ answer: JSONValue) throws {
        guard let ids = answer["output_ids"]?.arrayValue, let meta = answer["meta_info"],
            let promptTokens = meta["prompt_tokens"]?.intValue, let cached = meta["cached_tokens"]?.intValue,
            let completionTokens = meta["completion_tokens"]?.intValue
        else { throw HarnessError("no answer of /generate: \(JSON.encodeToString(answer).prefix(500))") }
        var logprobs: [String: [String]] = [:]
        for (name, value) in meta.objectValue ?? [:] where name.hasSuffix("_logprobs") {
            logprobs[name] = value.arrayValue?.map { JSON.encodeToString($0) }
        }
        outcome = Outcome(
            text: answer["text"]?.stringValue ?? "", ids: ids.map { $0.intValue ?? -1 },
            finish: meta["finish_reason"] ?? .null, promptTokens: promptTokens, completionTokens: completionTokens,
            logprobs: logprobs)
        cachedTokens = cached
        retractions = meta["num_retractions"]?.intValue ?? 0
    }

    /// Joins the frame of an incremental stream that follows.
    mutating func append(_ next: Generated) {
        let old = outcome
        self.outcome = next.outcome
        outcome.text = old.text + next.outcome.text
        outcome.ids = old.ids + next.outcome.ids
        for (name, list) in old.logprobs where name.hasPrefix("output_") {
            outcome.logprobs[name] = list + (next.outcome.logprobs[name] ?? [])
        }
    }
}

extension Server {
    /// A new connection, with TLS where the server speaks it.
    func connect() throws -> HTTPConnection {
        guard let authority else { return try HTTPConnection(port: port) }
        return HTTPConnection(try SecureWire(port: port, trusting: authority))
    }

    /// Sends a request on a connection of its own and reads the answer.
    func request(_ path: String, _ body: JSONValue? = nil, method: String? = nil) throws -> HTTPAnswer {
        let connection = try connect()
        try connection.send(path, body, method: method)
        return try connection.answer()
    }

    /// Posts a text that need not be JSON.
    func raw(_ path: String, _ body: String) throws -> HTTPAnswer {
        let connection = try connect()
        try connection.send(path, bytes: Array(body.utf8))
        return try connection.answer()
    }

    /// Posts to /generate and expects success.
    func generate(_ body: JSONObject) throws -> JSONValue {
        let answer = try request("/generate", .object(body))
        guard answer.status == 200 else { throw HarnessError("status \(answer.status): \(answer.text)") }
        return try answer.json()
    }

    /// One request, one answer.
    func single(_ body: JSONObject) throws -> Generated { try Generated(try generate(body)) }

    /// Many requests in one batch.
    func batch(_ body: JSONObject) throws -> [Generated] {
        guard let answers = try generate(body).arrayValue else { throw HarnessError("no list of answers") }
        return try answers.map { try Generated($0) }
    }

    /// One request as a stream, its frames put together.
    ///
    /// - Parameter onFrame: called with the number of frames so far.
    func streamed(
        _ body: JSONObject, incremental: Bool = false, onFrame: (Int) -> Void = { _ in }
    ) throws -> Generated {
        var body = body
        body["stream"] = true
        let connection = try connect()
        try connection.send("/generate", .object(body))
        let head = try connection.head()
        guard head.status == 200 else {
            throw HarnessError("status \(head.status)")
        }
        var whole: Generated?
        var frames = 0
        _ = try connection.events { event in
            let frame = try Generated(event)
            if incremental, whole != nil { whole!.append(frame) } else { whole = frame }
            frames += 1
            onFrame(frames)
            return true
        }
        guard var whole else { throw HarnessError("a stream without frames") }
        whole.frames = frames
        return whole
    }

    /// Empties the prefix cache.
    func flush() throws {
        let answer = try request("/flush_cache", method: "POST")
        guard answer.status == 200 else { throw HarnessError("flush_cache: \(answer.status) \(answer.text)") }
    }

    /// What /v1/loads says of the worker.
    func load() throws -> JSONValue {
        guard let load = try request("/v1/loads").json()["loads"]?[0] else { throw HarnessError("no load") }
        return load
    }
}
