internal import APICore
internal import JSON
internal import Ledger

/// The body of POST /encode and /classify.
struct EncodeRequest: Sendable {
    /// The texts, or the ids of their tokens.
    var inputs: [VectorInput]
    /// They came as a list, so that the answer is one.
    var isList: Bool
    var wishes = VectorPlan.Wishes()

    /// Reads a body.
    ///
    /// - Parameter routingKey: the one in the header, for requests that name none.
    init(_ fields: RequestFields, routingKey: String) throws(RequestFailure) {
        let texts = try Self.texts(fields)
        let ids = try fields.idLists("input_ids")
        for name in ["image_data", "video_data", "audio_data"] where fields[name] != nil {
            throw .invalid("\(name) is not supported: this model reads text only.")
        }
        _ = try fields.oneOrMany("sampling_params", "a valid dictionary", \.objectValue)
        // Whether a pair is asked for shows in the texts.
        _ = try fields.bool("is_cross_encoder_request")
        wishes.dimensions = try fields.int("dimensions")
        wishes.priority = try fields.int("priority")
        wishes.routingKey = try fields.string("routing_key") ?? routingKey
        wishes.isCounted = try fields.bool("log_metrics", or: true)
        wishes.returnsPromptIDs = try fields.bool("return_prompt_token_ids")
        try Self.refuseUnserved(fields)
        switch (texts, ids) {
        case (nil, nil): throw .invalid("At least one of text, input_ids, image, video, or audio should be provided")
        case (.some, .some): throw .invalid("text and input_ids cannot be provided at the same time")
        case (let texts?, nil): (inputs, isList) = (texts.all, texts.count != nil)
        case (nil, let ids?):
            // Nothing tells an empty list of texts from one of ids; for each there is an answer.
            (inputs, isList) = (ids.all.map { .ids($0) }, ids.count != nil)
            if !isList, ids.all[0].isEmpty { throw .invalid("input_ids cannot be empty.") }
        }
        wishes.rids = try rids(fields)
    }

    /// A text, a list of them, or a list of pairs.
    private static func texts(_ fields: RequestFields) throws(RequestFailure) -> OneOrMany<VectorInput>? {
        try fields.oneOrMany("text", "a valid string or a pair of them") { value in
            if let text = value.stringValue { return .text(text) }
            guard let pair = value.arrayValue, pair.count == 2, let first = pair[0].stringValue,
                let second = pair[1].stringValue
            else { return nil }
            return .pair(first, second)
        }
    }

    private static func refuseUnserved(_ fields: RequestFields) throws(RequestFailure) {
        if try fields.bool("return_pooled_hidden_states") {
            throw .unsupported("return_pooled_hidden_states")
        }
        let adapters = try fields.oneOrMany("lora_path", "a valid string") { $0.isNull ? "" : $0.stringValue }
        if let adapter = adapters?.all.first(where: { !$0.isEmpty }) {
            throw .noAdapter(adapter)
        }
    }

    private func rids(_ fields: RequestFields) throws(RequestFailure) -> [String]? {
        switch fields["rid"] {
        case nil: return nil
        case .string(let rid)?:
            guard !isList else { throw .invalid("The rids of a batch should be a list of strings.") }
            return [rid]
        case .array(let elements)?:
            let rids = elements.compactMap(\.stringValue)
            if rids.count == elements.count { return rids }
            fallthrough
        default: throw .invalid("The rid should be a string or a list of strings.")
        }
    }
}
