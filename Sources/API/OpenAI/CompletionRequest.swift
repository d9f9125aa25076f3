internal import APICore
internal import ChatAPI
internal import JSON
internal import Ledger

/// The body of POST /v1/completions after its checks.
struct CompletionRequest: Sendable {
    var fields: GenerationFields
    var prompts: [GenerationPlan.Prompt]
    /// Alternatives for each token; nil: no log probabilities.
    var logprobs: Int?
    /// The prompt's text is put before the completion.
    var echoes: Bool
    var returnsTokenIDs: Bool

    /// Reads a body.
    init(_ body: RequestFields, _ defaults: GenerationFields.Defaults) throws(RequestFailure) {
        let prompts = try Self.prompts(body)
        fields = try GenerationFields(body, defaults)
        logprobs = try body.int("logprobs")
        echoes = try body.bool("echo")
        returnsTokenIDs = try body.bool("return_token_ids")
        // Without effect at the reference too: it has a use for the suffix only with a completion template.
        _ = try body.string("suffix")
        _ = try body.int("best_of")
        _ = try body.string("user")
        let limit = try body.int("max_tokens") ?? 16
        guard limit > 0 else {
            throw .malformed("body.max_tokens: Value error, max_tokens must be positive")
        }
        fields.sampling["max_new_tokens"] = .int(Int64(limit))
        guard !prompts.isEmpty else { throw .invalid("Prompt cannot be empty") }
        self.prompts = prompts
    }

    /// The prompts; none where one of them is empty.
    private static func prompts(_ body: RequestFields) throws(RequestFailure) -> [GenerationPlan.Prompt] {
        switch body["prompt"] {
        case nil: throw RequestReading().failure(at: "prompt", .missing)
        case .string(let text)?: return text.isEmpty ? [] : [.text(text)]
        case .array(let elements)? where elements.first?.stringValue != nil:
            let cursor = RequestCursor(.array(elements), RequestReading(), path: "prompt")
            let texts = try cursor.list { element throws(RequestFailure) in try element.string() }
            return texts.contains("") ? [] : texts.map { .text($0) }
        default:
            guard let ids = try body.idLists("prompt"), !ids.all.contains(where: \.isEmpty) else { return [] }
            return ids.all.map { .ids($0) }
        }
    }
}
