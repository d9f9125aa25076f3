internal import APICore
internal import JSON
internal import Ledger
internal import Messages
internal import Values

/// The body of POST /generate after both validation stages: types by field, then the strict schema.
struct GenerateRequest: Sendable {
    /// The prompts as they came.
    enum Prompts: Sendable {
        case texts([String])
        case ids([[Int]])
        /// Vectors in the place of those of tokens.
        case vectors([PromptVectors])

        var count: Int {
            switch self {
            case .texts(let texts): texts.count
            case .ids(let lists): lists.count
            case .vectors(let prompts): prompts.count
            }
        }
    }

    var prompts: Prompts
    /// The prompts came as a list, so that the answer is one.
    var isList: Bool
    var stream: Bool
    /// Objects that passed the strict schema, merged with the server's preferred ones.
    var sampling: OneOrMany<JSONObject>
    var rid: OneOrMany<ClientName>?
    var returnLogprob: OneOrMany<Bool>
    var logprobStart: OneOrMany<Int>
    var topLogprobs: OneOrMany<Int>
    var tokenIDsLogprob: OneOrMany<[Int]>?
    var textInLogprobs: Bool
    var returnPromptIDs: Bool
    var returnHiddenStates: OneOrMany<Bool>
    /// First position whose experts the answer tells; nil: it tells none.
    var routedExpertsStart: Int?
    var cacheKeys: OneOrMany<String>
    /// How urgent the request is; nil when it does not say.
    var priority: Int?
    /// Requests with the same one had better run together; empty for none.
    var routingKey: String
    /// A grammar begins behind the thinking part.
    var requiresReasoning: Bool
    var session: SessionPlace?
    /// The request counts in the metrics.
    var isCounted: Bool
    /// The request may stand in logs.
    var isLogged: Bool
    /// Samples for each prompt.
    var samples: Int

    /// Reads a body.
    ///
    /// - Parameters:
    ///   - preferred: sampling parameters used where the request names none.
    ///   - seen: what the operator lets clients see of the model.
    /// - Throws: `.malformed` for wrong types, `.offSchema` for what the strict schema forbids, `.invalid` for the rest.
    init(_ fields: RequestFields, preferred: JSONObject, seen: ModelSight = .init()) throws(RequestFailure) {
        let texts = try fields.oneOrMany("text", "a valid string", \.stringValue)
        let ids = try fields.idLists("input_ids")
        rid = try Self.rid(fields)
        let params = try fields.oneOrMany("sampling_params", "a valid dictionary", \.objectValue) ?? .one([:])
        let asksForStream = try fields.bool("stream")
        returnLogprob = try fields.oneOrMany("return_logprob", "a valid boolean", RequestFields.laxBool) ?? .one(false)
        logprobStart = try fields.oneOrMany("logprob_start_len", "a valid integer", RequestFields.laxInt) ?? .one(-1)
        topLogprobs = try fields.oneOrMany("top_logprobs_num", "a valid integer", RequestFields.laxInt) ?? .one(0)
        tokenIDsLogprob = try fields.idLists("token_ids_logprob")
        textInLogprobs = try fields.bool("return_text_in_logprobs")
        returnPromptIDs = try fields.bool("return_prompt_token_ids")
        returnHiddenStates =
            try fields.oneOrMany("return_hidden_states", "a valid boolean", RequestFields.laxBool) ?? .one(false)
        let expertsStart = try fields.int("routed_experts_start_len") ?? 0
        routedExpertsStart = try fields.bool("return_routed_experts") ? expertsStart : nil
        cacheKeys = try Self.cacheKeys(fields)
        priority = try fields.int("priority")
        routingKey = try fields.string("routing_key") ?? ""
        requiresReasoning = try fields.bool("require_reasoning")
        isCounted = try fields.bool("log_metrics", or: true)
        isLogged = try !fields.bool("no_logs")
        stream = asksForStream
        session = try Self.session(fields)
        let refused = try UnservedFields(fields)

        for object in params.all { try SamplingSchema.check(object) }
        try SamplingSchema.checkFlag("stream", in: fields.object)
        try SamplingSchema.checkFlag("return_prompt_token_ids", in: fields.object)

        (prompts, isList) = try Self.prompts(fields, texts, ids, seen)
        if case .ids(let lists) = prompts, lists.contains(where: \.isEmpty) {
            throw .invalid("input_ids cannot be empty.")
        }
        sampling = params.map { given in
            var merged = preferred
            for (name, value) in given { merged[name] = value }
            return merged
        }
        samples = try Self.samples(sampling)
        try refused.check()
        if returnHiddenStates.all.contains(true) { try seen.checkHiddenStates() }
        try checkLengths()
    }

    /// Of several inputs the ids win, but whether there is a batch is read from the text.
    private static func prompts(
        _ fields: RequestFields, _ texts: OneOrMany<String>?, _ ids: OneOrMany<[Int]>?, _ seen: ModelSight
    ) throws(RequestFailure) -> (Prompts, isList: Bool) {
        guard fields["input_embeds"] == nil else {
            guard texts == nil, ids == nil else {
                let isAll = texts != nil && ids != nil
                throw .invalid(
                    isAll
                        ? "Either text, input_ids or input_embeds should be provided."
                        : "input_embeds takes the place of text and input_ids: only one of them can be provided.")
            }
            return try seen.vectors(fields)
        }
        switch (texts, ids) {
        case (nil, nil): throw .invalid("Either text, input_ids or input_embeds should be provided.")
        case (let texts?, let ids?):
            guard (texts.count == nil) == (ids.count == nil), texts.count == ids.count else {
                throw .invalid("text and input_ids must agree on the batch size.")
            }
            return (.ids(ids.all), ids.count != nil)
        case (let texts?, nil): return (.texts(texts.all), texts.count != nil)
        case (nil, let ids?): return (.ids(ids.all), ids.count != nil)
        }
    }

    /// The number of prompts.
    var batchSize: Int { prompts.count }

    private static func rid(_ fields: RequestFields) throws(RequestFailure) -> OneOrMany<ClientName>? {
        switch fields["rid"] {
        case nil: return nil
        case .string(let rid)?: return .one(ClientName(rid))
        case .array(let elements)?:
            let rids = elements.compactMap(\.stringValue)
            if rids.count == elements.count { return .many(rids.map { ClientName($0) }) }
            fallthrough
        default: throw .invalid("The rid should be a string or a list of strings.")
        }
    }

    private static func cacheKeys(_ fields: RequestFields) throws(RequestFailure) -> OneOrMany<String> {
        let salt = try fields.string("cache_salt")
        let keys = try fields.oneOrMany("extra_key", "a valid string", \.stringValue) ?? .one("")
        guard let salt else { return keys }
        // The separator cannot be part of a text that a client sends as both.
        return keys.map { $0.isEmpty ? salt : salt + "\u{0}" + $0 }
    }

    private static func session(_ fields: RequestFields) throws(RequestFailure) -> SessionPlace? {
        let shortcut = try fields.string("session_id")
        guard let params = try fields.fields("session_params") else {
            if shortcut != nil {
                throw .noStreamingSessions
            }
            return nil
        }
        if shortcut != nil { throw .invalid("session_id and session_params cannot both be set.") }
        let offset = try params.int("offset") ?? -1
        return SessionPlace(
            id: ClientName(try params.required("id", params.string)),
            rid: try params.string("rid").map { ClientName($0) },
            offset: offset == -1 ? nil : offset,
            replaces: try params.bool("replace"), dropsOutput: try params.bool("drop_previous_output"))
    }

    private static func samples(_ sampling: OneOrMany<JSONObject>) throws(RequestFailure) -> Int {
        let counts = try sampling.all.map { given throws(RequestFailure) in try samples(given) }
        guard let first = counts.first else { return 1 }
        guard counts.allSatisfy({ $0 == first }) else {
            throw .invalid("The parallel_sample_num should be the same for all samples in sample params.")
        }
        return first
    }

    private static func samples(_ given: JSONObject) throws(RequestFailure) -> Int {
        guard let value = given["n"], !value.isNull else { return 1 }
        // More than the server ever holds at one time will not fit later either.
        guard let count = value.intValue, (1...AdmissionGate.ownLimit).contains(count) else {
            throw .invalid("n must be in [1, \(AdmissionGate.ownLimit)], got \(JSON.encodeToString(value)).")
        }
        return count
    }

    private func checkLengths() throws(RequestFailure) {
        let counts = [
            ("sampling_params", sampling.count), ("return_logprob", returnLogprob.count),
            ("logprob_start_len", logprobStart.count), ("top_logprobs_num", topLogprobs.count),
            ("token_ids_logprob", tokenIDsLogprob?.count), ("extra_key", cacheKeys.count),
            ("return_hidden_states", returnHiddenStates.count),
        ]
        for case (let name, let count?) in counts {
            guard isList else {
                if name == "token_ids_logprob" { throw .invalid("token_ids_logprob must be a flat list of integers.") }
                throw .invalid("\(name) cannot be a list when there is a single prompt.")
            }
            if samples > 1, name.contains("logprob") {
                throw .invalid("Cannot use list \(name) with parallel_sample_num > 1")
            }
            guard count == batchSize else {
                throw .invalid("The length of \(name) should be equal to the batch size.")
            }
        }
        if let count = rid?.count, count != batchSize || !isList {
            throw .invalid("The specified rids length mismatch with the batch_size for batch processing.")
        }
        if session != nil, isList || samples > 1 {
            throw .invalid("session_params can only be used with a single prompt and a single sample.")
        }
    }
}
