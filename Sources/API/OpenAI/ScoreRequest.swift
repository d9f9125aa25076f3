internal import APICore
internal import JSON
internal import Ledger
internal import Messages
internal import Values

/// The body of POST /v1/score: items that are each judged together with a query.
struct ScoreRequest: Sendable {
    /// Two texts, or the ids of two, in the order of the request.
    private enum Parts: Sendable {
        case texts(String, [String])
        case ids([Int], [[Int]])
    }

    private let parts: Parts
    /// Ids whose probabilities behind the prompt are the scores; nil: the numbers of the model's answer are.
    let labels: [Int]?
    /// Scores are shares of the labels alone.
    let appliesSoftmax: Bool
    private let itemFirst: Bool
    let temperature: Double
    /// As the request has it.
    let model: String
    let wishes: VectorPlan.Wishes

    /// Reads a body; the messages are the reference's.
    init(_ fields: RequestFields) throws(RequestFailure) {
        parts = try Self.parts(fields)
        labels = try fields.idLists("label_token_ids").map { lists throws(RequestFailure) in
            guard lists.count == nil else { throw .malformed("body.label_token_ids: Input should be a valid integer") }
            return lists.all[0]
        }
        appliesSoftmax = try fields.bool("apply_softmax")
        itemFirst = try fields.bool("item_first")
        model = try fields.string("model") ?? "default"
        let temperature = try fields.double("temperature")
        if temperature != nil, !appliesSoftmax { throw .invalid("temperature requires apply_softmax=True") }
        if let temperature, !(temperature > 0 && temperature.isFinite) {
            throw .invalid("temperature must be a positive number, got \(temperature).")
        }
        self.temperature = temperature ?? 1
        if try fields.bool("return_pooled_hidden_states") {
            throw .unsupported("return_pooled_hidden_states")
        }
        if try fields.bool("return_token_logprobs") {
            throw .unsupported("return_token_logprobs")
        }
        let count: Int
        switch parts {
        case .texts(_, let items): count = items.count
        case .ids(_, let items): count = items.count
        }
        wishes = try VectorFields.wishes(fields, count: count)
    }

    private static func parts(_ fields: RequestFields) throws(RequestFailure) -> Parts {
        let mixed = RequestFailure.invalid("Invalid combination of query/items types for score_request.")
        guard let items = fields["items"] else { throw .invalid("items must be provided") }
        guard let query = fields["query"] else { throw .invalid("query must be provided") }
        if case .array = query {
            guard let ids = try fields.idLists("query"), ids.count == nil else { throw mixed }
            guard case .array(let elements) = items else { throw mixed }
            guard !elements.isEmpty else { throw .invalid("items must be provided") }
            guard elements.allSatisfy({ $0.arrayValue != nil }), let lists = try fields.idLists("items") else {
                throw mixed
            }
            return .ids(ids.all[0], lists.all)
        }
        guard let text = try fields.string("query") else { throw mixed }
        switch items {
        case .string(let item): return .texts(text, [item])
        case .array(let elements):
            guard !elements.isEmpty else { throw .invalid("items must be provided") }
            let texts = elements.compactMap(\.stringValue)
            guard texts.count == elements.count else { throw mixed }
            return .texts(text, texts)
        default: throw mixed
        }
    }

    /// The texts that a model without a head for tokens reads; pairs for one that scores pairs.
    func inputs(asPairs: Bool) throws(RequestFailure) -> [VectorInput] {
        switch parts {
        case .texts(let query, let items):
            items.map { item in
                let (first, second) = itemFirst ? (item, query) : (query, item)
                return asPairs ? .pair(first, second) : .text(first + second)
            }
        case .ids(let query, let items): items.map { .ids(itemFirst ? $0 + query : query + $0) }
        }
    }

    /// A request for one token behind each prompt, with the log probabilities of the labels there.
    func prompts(vocabulary: Int) throws(RequestFailure) -> [Generate] {
        guard let labels, !labels.isEmpty else {
            throw .invalid("label_token_ids is required for generation (CausalLM) models.")
        }
        let limit = vocabulary == 0 ? Int(Int32.max) : vocabulary
        if let wrong = labels.first(where: { !(0..<limit).contains($0) }) {
            throw .invalid("Token ID \(wrong) is out of vocabulary (vocab size: \(vocabulary))")
        }
        return try inputs(asPairs: false).map { input throws(RequestFailure) in
            var prompt = Generate.scoring(labels.map { Int32($0) })
            switch input {
            case .text(let text): prompt.text = text
            case .ids(let list):
                prompt.ids.ids = try list.map { id throws(RequestFailure) in
                    guard (0..<limit).contains(id) else {
                        throw .invalid("Token ID \(id) is out of vocabulary (vocab size: \(vocabulary))")
                    }
                    return Int32(id)
                }
            case .pair: break
            }
            return prompt
        }
    }
}
