package import APICore
package import JSON
package import Ledger
package import Values

/// The fields that every route in OpenAI's manner has beside its prompt: how to draw, when to stop, how the answer is wanted.
package struct GenerationFields: Sendable {
    /// Where parameters come from that a request leaves out.
    package struct Defaults: Sendable {
        /// What the operator prefers (`--preferred-sampling-params`).
        package var preferred: JSONObject = [:]
        /// What the makers of the model propose.
        package var proposed: JSONObject = [:]
        /// Streams have a usage chunk, asked for or not.
        package var streamsUsage = false

        package init() {}

        /// The same without what the makers of the model propose, which is for chats alone.
        package var withoutProposals: Defaults {
            var defaults = self
            defaults.proposed = [:]
            return defaults
        }
    }

    /// When a stream tells of its usage.
    package struct UsageWish: Sendable, Equatable {
        /// In a chunk of its own at the end.
        package var atEnd = false
        /// In every chunk.
        package var always = false

        package init() {}
    }

    /// Which hidden states the answer holds.
    package enum HiddenStateWish: Sendable {
        /// The vector of the last token.
        case last
        /// One for each token, that of the prompt's end first.
        case each
    }

    /// The name that the client gave the model; the answer repeats it.
    package var model: String
    /// Parameters by their names on /generate; the limit of tokens is the route's to add.
    package var sampling: JSONObject = [:]
    package var samples: Int
    package var seed: Int?
    package var isStreamed: Bool
    package var usage = UsageWish()
    package var rid: OneOrMany<ClientName>?
    package var cacheKeys: OneOrMany<String>
    package var priority: Int?
    package var returnsCachedDetails: Bool
    /// Nil: none.
    package var hiddenStates: HiddenStateWish?
    /// First position whose experts the answer tells; nil: it tells none.
    package var routedExpertsStart: Int?

    /// Reads the fields of a body.
    ///
    /// - Throws: `.malformed` for wrong types, `.invalid` for values that make no sense and for what this server does not do.
    package init(_ fields: RequestFields, _ defaults: Defaults) throws(RequestFailure) {
        model = try fields.string("model") ?? "default"
        samples = try fields.int("n") ?? 1
        seed = try fields.int("seed")
        isStreamed = try fields.bool("stream")
        rid = try Self.rid(fields)
        cacheKeys = try Self.cacheKeys(fields)
        priority = try fields.int("priority")
        returnsCachedDetails = try fields.bool("return_cached_tokens_details")
        hiddenStates = try Self.hiddenStates(fields)
        let expertsStart = try fields.int("routed_experts_start_len") ?? 0
        routedExpertsStart = try fields.bool("return_routed_experts") ? expertsStart : nil
        usage.atEnd = defaults.streamsUsage
        if let options = try fields.fields("stream_options") {
            usage.atEnd = try options.bool("include_usage", or: defaults.streamsUsage)
            usage.always = try options.bool("continuous_usage_stats")
        }
        try readSampling(fields, defaults)
        try readGrammar(fields)
        try UnservedChatFields(fields).check()
        guard (1...AdmissionGate.ownLimit).contains(samples) else {
            throw .invalid("n must be in [1, \(AdmissionGate.ownLimit)], got \(samples).")
        }
    }

    private static func hiddenStates(_ fields: RequestFields) throws(RequestFailure) -> HiddenStateWish? {
        if fields["return_hidden_states"] == "last" { return .each }
        return try fields.bool("return_hidden_states") ? .last : nil
    }

    // MARK: Sampling

    /// Keys that requests in OpenAI's manner always set, so that no preference of the operator counts.
    private static let kept = ["stream_interval", "spaces_between_special_tokens", "beam_width", "watermark"]

    private mutating func readSampling(_ fields: RequestFields, _ defaults: Defaults) throws(RequestFailure) {
        for name in Self.kept { if let value = defaults.preferred[name] { sampling[name] = value } }
        for name in ["temperature", "top_p", "min_p", "repetition_penalty"] {
            let value = try fields.double(name) ?? defaults.proposed[name]?.doubleValue
            if let value { sampling[name] = .double(value) }
        }
        for name in ["frequency_penalty", "presence_penalty"] {
            if let value = try fields.double(name) { sampling[name] = .double(value) }
        }
        let proposed = defaults.proposed["top_k"].flatMap(RequestFields.laxInt)
        // Some checkpoints say 0 for "all".
        if let value = try fields.int("top_k") ?? proposed.map({ $0 == 0 ? -1 : $0 }) {
            sampling["top_k"] = .int(Int64(value))
        }
        if let value = try fields.int("min_tokens") { sampling["min_new_tokens"] = .int(Int64(value)) }
        for name in ["stop", "stop_regex"] {
            guard let texts = try fields.oneOrMany(name, "a valid string", \.stringValue) else { continue }
            sampling[name] = .array(texts.all.map { .string($0) })
        }
        if let ids = try fields.idLists("stop_token_ids") {
            guard case .one(let ids) = ids else {
                throw .malformed("body.stop_token_ids[0]: Input should be a valid integer, got a list")
            }
            sampling["stop_token_ids"] = .array(ids.map { .int(Int64($0)) })
        }
        for name in ["ignore_eos", "no_stop_trim"] { sampling[name] = .bool(try fields.bool(name)) }
        sampling["skip_special_tokens"] = .bool(try fields.bool("skip_special_tokens", or: true))
        if let biases = try fields.fields("logit_bias") {
            var read: JSONObject = [:]
            for (key, _) in biases.object { read[key] = .double(try biases.required(key, biases.double)) }
            sampling["logit_bias"] = .object(read)
        }
    }

    // MARK: Grammars

    private mutating func readGrammar(_ fields: RequestFields) throws(RequestFailure) {
        for name in ["regex", "ebnf", "json_schema"] {
            if let text = try fields.string(name) { sampling[name] = .string(text) }
        }
        guard let format = try fields.fields("response_format") else { return }
        switch try format.required("type", format.string) {
        case "text": break
        case "json_object": sampling["json_schema"] = #"{"type":"object"}"#
        case "json_schema":
            guard let schema = try format.fields("json_schema")?["schema"] else {
                throw .invalid("schema_ is required for json_schema response format request.")
            }
            sampling["json_schema"] = .string(JSON.encodeToString(schema))
        case "structural_tag": sampling["structural_tag"] = .string(JSON.encodeToString(.object(format.object)))
        default:
            throw .malformed(
                "body.response_format.type: Input should be 'text', 'json_object', 'json_schema' or 'structural_tag'")
        }
    }

    // MARK: The request as a whole

    private static func rid(_ fields: RequestFields) throws(RequestFailure) -> OneOrMany<ClientName>? {
        try fields.oneOrMany("rid", "a valid string", \.stringValue)?.map { ClientName($0) }
    }

    private static func cacheKeys(_ fields: RequestFields) throws(RequestFailure) -> OneOrMany<String> {
        let salt = try fields.string("cache_salt")
        let keys = try fields.oneOrMany("extra_key", "a valid string", \.stringValue) ?? .one("")
        guard let salt else { return keys }
        // The separator cannot be part of a text that a client sends as both.
        return keys.map { $0.isEmpty ? salt : salt + "\u{0}" + $0 }
    }
}
