import JSON
import TestSupport

/// What the client of a chat puts together, of a whole answer or of a stream's deltas, without what may differ between runs.
struct ChatAnswer: Sendable, Equatable {
    /// One choice.
    struct Choice: Sendable, Equatable {
        var content = ""
        var reasoning = ""
        /// Name and arguments of each call.
        var calls: [[String]] = []
        var finish: JSONValue = .null
        var matched: JSONValue = .null
        /// Tokens with their log probabilities, as JSON text.
        var logprobs: [String] = []
    }

    var choices: [Choice] = []
    var completionTokens = 0
    var reasoningTokens = 0

    /// Adds a whole answer or a chunk.
    mutating func append(_ part: JSONValue) throws {
        if let message = part["error"] { throw HarnessError("error in a stream: \(JSON.encodeToString(message))") }
        if let count = part["usage"]?["completion_tokens"]?.intValue { completionTokens = count }
        if let count = part["usage"]?["reasoning_tokens"]?.intValue { reasoningTokens = count }
        for choice in part["choices"]?.arrayValue ?? [] {
            let index = choice["index"]?.intValue ?? 0
            while choices.count <= index { choices.append(Choice()) }
            choices[index].append(choice)
        }
    }
}

extension ChatAnswer.Choice {
    fileprivate mutating func append(_ part: JSONValue) {
        let delta = part["delta"] ?? part["message"]
        content += delta?["content"]?.stringValue ?? ""
        reasoning += delta?["reasoning_content"]?.stringValue ?? ""
        for call in delta?["tool_calls"]?.arrayValue ?? [] {
            let index = call["index"]?.intValue ?? 0
            while calls.count <= index { calls.append(["", ""]) }
            calls[index][0] += call["function"]?["name"]?.stringValue ?? ""
            calls[index][1] += call["function"]?["arguments"]?.stringValue ?? ""
        }
        logprobs += (part["logprobs"]?["content"]?.arrayValue ?? []).map { JSON.encodeToString($0) }
        if let reason = part["finish_reason"], !reason.isNull {
            (finish, matched) = (reason, part["matched_stop"] ?? .null)
        }
    }
}

extension Server {
    /// Asks for a chat, whole or as a stream as its body says.
    ///
    /// - Parameter onChunk: called with the number of chunks so far.
    func chat(_ body: JSONObject, onChunk: (Int) -> Void = { _ in }) throws -> ChatAnswer {
        var answer = ChatAnswer()
        let path = "/v1/chat/completions"
        guard body["stream"] == true else {
            let whole = try request(path, .object(body))
            guard whole.status == 200 else { throw HarnessError("status \(whole.status): \(whole.text)") }
            try answer.append(try whole.json())
            return answer
        }
        let connection = try connect()
        try connection.send(path, .object(body))
        let head = try connection.head()
        guard head.status == 200 else { throw HarnessError("status \(head.status)") }
        var chunks = 0
        _ = try connection.events { event in
            try answer.append(event)
            chunks += 1
            onChunk(chunks)
            return true
        }
        return answer
    }
}
