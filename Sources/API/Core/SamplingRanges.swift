package import JSON
package import Ledger
package import Messages
package import ServerSettings

/// Third look at sampling parameters: their values. Turns a checked object into the message for the worker.
package struct SamplingRanges: Sendable {
    /// What the server and its model allow.
    package struct Limits: Sendable {
        /// Size of the vocabulary; 0 while the model is not known.
        package var vocabulary = 0
        package var skipsTokenizer = false
        /// Grammars were switched off by a flag.
        package var grammarsAreOff = false

        package init() {}

        /// What the operator's flags allow.
        package init(_ settings: FrontSettings) {
            skipsTokenizer = settings.skipTokenizerInit
            grammarsAreOff = settings.grammarBackend == .none
        }
    }

    /// Temperatures below this are greedy.
    static let greedyTemperature = 1e-6
    /// Temperatures above this draw no differently: all ids that are not forbidden are equally likely. Dividing by more would
    /// bring even the forbidden ones back.
    static let hottestTemperature = 1e6

    let limits: Limits

    package init(limits: Limits) { self.limits = limits }

    /// The parameters of an object whose values have the right types.
    ///
    /// - Throws: `.invalid` with the texts that clients match.
    package func parameters(_ object: JSONObject) throws(RequestFailure) -> SamplingParams {
        let given = RequestFields(object)
        var params = SamplingParams()
        try temperatureAndCuts(given, &params)
        try penalties(given, &params)
        try lengths(given, &params)
        try logitBias(given, &params)
        try grammar(given, &params)
        try stops(given, &params)
        params.ignoreEos = given["ignore_eos"]?.boolValue ?? false
        params.skipSpecialTokens = given["skip_special_tokens"]?.boolValue ?? true
        params.noStopTrim = given["no_stop_trim"]?.boolValue ?? false
        if let beams = given["beam_width"] {
            guard beams != .int(1) else { return params }
            if (beams.intValue ?? 0) < 1 { throw .invalid("beam_width must be at least 1, got \(repr(beams)).") }
            throw .invalid("beam_width: beam search is not supported by this server.")
        }
        if given["watermark"] != nil {
            throw .invalid("watermark: the server is not configured for watermarks (--enable-watermark).")
        }
        return params
    }

    private func temperatureAndCuts(_ given: RequestFields, _ params: inout SamplingParams) throws(RequestFailure) {
        let temperature = given["temperature"]?.doubleValue ?? 1
        // Greedy is settled before the ranges: whatever top_k says does not matter then.
        let isGreedy = (0..<Self.greedyTemperature).contains(temperature)
        guard temperature >= 0, temperature.isFinite else {
            throw .invalid("temperature must be a non-negative finite number, got \(repr(given["temperature"])).")
        }
        params.temperature = isGreedy ? 1 : Float(min(temperature, Self.hottestTemperature))
        params.topP = Float(
            try number(given, "top_p", or: 1, "must be in (0, 1]") { $0 > 0 && $0 <= 1 })
        params.minP = Float(
            try number(given, "min_p", or: 0, "must be in [0, 1]") { $0 >= 0 && $0 <= 1 })
        let topK = given["top_k"]?.intValue ?? -1
        guard isGreedy || topK == -1 || topK >= 1 else {
            throw .invalid("top_k must be -1 (disable) or at least 1, got \(topK).")
        }
        params.topK = isGreedy ? 1 : Int32(clamping: topK)
    }

    private func penalties(_ given: RequestFields, _ params: inout SamplingParams) throws(RequestFailure) {
        let twoSided = { (value: Double) in (-2...2).contains(value) }
        params.frequencyPenalty = Float(try number(given, "frequency_penalty", or: 0, "must be in [-2, 2]", twoSided))
        params.presencePenalty = Float(try number(given, "presence_penalty", or: 0, "must be in [-2, 2]", twoSided))
        params.repetitionPenalty = Float(
            try number(given, "repetition_penalty", or: 1, "must be in (0, 2] (1.0 = no penalty)") {
                // A number that 32 bits take for zero divides like zero.
                Float($0) > 0 && $0 <= 2
            }
        )
    }

    private func number(
        _ given: RequestFields, _ name: String, or fallback: Double, _ rule: String, _ isFine: (Double) -> Bool
    ) throws(RequestFailure) -> Double {
        guard let value = given[name] else { return fallback }
        guard let number = value.doubleValue, isFine(number) else {
            throw .invalid("\(name) \(rule), got \(repr(value)).")
        }
        return number
    }

    private func lengths(_ given: RequestFields, _ params: inout SamplingParams) throws(RequestFailure) {
        let least = given["min_new_tokens"]?.intValue ?? 0
        // An explicit null means "until the end"; an absent key means the default.
        let most = given.object["max_new_tokens"].map { $0.isNull ? nil : $0.intValue } ?? 128
        if let most, most < 0 { throw .invalid("max_new_tokens must be at least 0, got \(most).") }
        guard least >= 0, least <= most ?? Int.max else {
            let limit = most.map(String.init) ?? "None"
            throw .invalid("min_new_tokens must be in [0, max_new_tokens(\(limit))], got \(least).")
        }
        if limits.skipsTokenizer, least > 0 {
            throw .invalid(
                "min_new_tokens=\(least) is unavailable when skip_tokenizer_init=True (requires tokenizer).")
        }
        params.minNewTokens = Int32(clamping: least)
        params.maxNewTokens = most.map { Int32(clamping: $0) } ?? -1
    }

    private func logitBias(_ given: RequestFields, _ params: inout SamplingParams) throws(RequestFailure) {
        guard let bias = given["logit_bias"]?.objectValue else { return }
        for (key, value) in bias {
            guard let weight = value.doubleValue else {
                throw .offSchema("invalid type: \(value.inSchemaWords), expected f64")
            }
            guard let id = Int(key) else { throw .invalid("invalid literal for int() with base 10: '\(key)'") }
            let isKnown =
                limits.vocabulary == 0 ? (0...Int(Int32.max)).contains(id) : (0..<limits.vocabulary).contains(id)
            guard isKnown else {
                throw .invalid("logit_bias must has keys in [0, \(limits.vocabulary - 1)], got \(id).")
            }
            guard Float(weight).isFinite else {
                throw .invalid("logit_bias['\(key)'] must be a number that fits 32 bits, got \(repr(value)).")
            }
            params.logitBiasIds.append(Int32(id))
            params.logitBiasValues.append(Float(weight))
        }
    }

    /// The parameters that say what the text has to be; one of them at most.
    private static let grammars = ["json_schema", "regex", "ebnf", "structural_tag"]

    /// Whether parameters say what the text has to be.
    package static func haveGrammar(_ given: JSONObject) -> Bool {
        grammars.contains { given[$0]?.stringValue?.isEmpty == false }
    }

    private func grammar(_ given: RequestFields, _ params: inout SamplingParams) throws(RequestFailure) {
        func text(_ name: String) -> String? { given[name]?.stringValue.flatMap { $0.isEmpty ? nil : $0 } }
        let set = Self.grammars.filter { text($0) != nil }
        guard let name = set.first, let text = text(name) else { return }
        guard set.count == 1 else {
            throw .invalid("Only one of json_schema, regex, ebnf, or structural_tag can be set.")
        }
        let kinds = "Grammar-based generation (json_schema, regex, ebnf, structural_tag)"
        if limits.grammarsAreOff {
            throw .refused("\(kinds) is not supported when the server is launched with --grammar-backend none")
        }
        if limits.skipsTokenizer {
            throw .refused(
                "\(kinds) is unavailable when skip_tokenizer_init=True (requires tokenizer to know the text of tokens)."
            )
        }
        switch name {
        case "json_schema": params.jsonSchema = text
        case "regex": params.regex = text
        case "ebnf": params.ebnf = text
        default: params.structuralTag = text
        }
    }

    private func stops(_ given: RequestFields, _ params: inout SamplingParams) throws(RequestFailure) {
        params.stop = strings(given["stop"])
        params.stopRegex = strings(given["stop_regex"])
        if params.stop.count > 32 { throw .invalid("at most 32 stop strings are allowed, got \(params.stop.count)") }
        if params.stopRegex.count > 32 {
            throw .invalid("at most 32 stop_regex patterns are allowed, got \(params.stopRegex.count)")
        }
        for pattern in params.stopRegex where pattern.utf8.count > 256 {
            throw .invalid("stop_regex is \(pattern.utf8.count) bytes, over the 256-byte limit")
        }
        if limits.skipsTokenizer, let name = ["stop", "stop_regex"].first(where: { !strings(given[$0]).isEmpty }) {
            throw .invalid(
                "\(name)=\(repr(given[name])) is unavailable when skip_tokenizer_init=True "
                    + "(requires tokenizer to decode tokens to text for matching).")
        }
        // An id that no vocabulary can have never matches.
        params.stopTokenIds = (given["stop_token_ids"]?.arrayValue ?? []).compactMap {
            $0.intValue.flatMap(Int32.init(exactly:))
        }
    }

    /// A string or a list of them without the empty ones, which would match everywhere.
    private func strings(_ value: JSONValue?) -> [String] {
        switch value {
        case .string(let text): text.isEmpty ? [] : [text]
        case .array(let elements): elements.compactMap(\.stringValue).filter { !$0.isEmpty }
        default: []
        }
    }

    /// A value as Python prints it in a message.
    private func repr(_ value: JSONValue?) -> String {
        switch value {
        case nil, .null?: "None"
        case .string(let text)?: "'\(text)'"
        case .array(let elements)?: "[" + elements.map { repr($0) }.joined(separator: ", ") + "]"
        case let value?: JSON.encodeToString(value)
        }
    }
}

extension JSONValue {
    /// The value in the words of the reference's schema library.
    package var inSchemaWords: String {
        switch self {
        case .null: "null"
        case .bool(let flag): "boolean `\(flag)`"
        case .int(let number): "integer `\(number)`"
        case .unsigned(let number): "integer `\(number)`"
        case .double(let number): "floating point `\(number)`"
        case .string(let text): "string " + JSON.encodeToString(.string(text))
        case .array: "sequence"
        case .object: "map"
        }
    }
}
