internal import JSON
internal import Ledger
internal import Messages
internal import ServerSettings
internal import Values

/// What is written about one request: as much of it as the level lets through.
struct RequestRecord: Sendable {
    /// What happened to it.
    enum Event: Sendable {
        case received
        /// This came of it.
        case finished(LedgerRow)
    }

    /// Longest text and list at the level that shortens them.
    static let longest = 2048

    /// SGLang's name for such a request.
    private let kind: String
    private let fields: JSONObject
    private let rid: String
    private let level: Int
    private let headers: JSONObject

    /// - Parameters:
    ///   - level: 0 neither texts nor sampling parameters, 1 these too, 2 all but the middle of what is long, 3 everything.
    ///   - headers: those of the HTTP request that are told.
    init(_ errand: Errand, rid: ClientName, level: Int, headers: JSONObject) {
        self.rid = rid.text
        self.level = level
        self.headers = headers
        var fields: JSONObject = ["rid": .string(rid.text)]
        switch errand {
        case .generate(let request):
            kind = "GenerateReqInput"
            Self.describe(request, level, &fields)
        case .embed(let request):
            kind = "EmbeddingReqInput"
            Self.describe(request, level, &fields)
        }
        fields["stream"] = .bool(errand.isStreamed)
        self.fields = fields
    }

    /// As SGLang's log has it: a Python expression.
    func text(_ event: Event) -> String {
        let request = "obj=\(kind)(" + fields.map { "\($0)=\(Self.python($1))" }.joined(separator: ", ") + ")"
        switch event {
        case .received: return "Receive: " + request + Self.python(headers: headers)
        case .finished(let row):
            let out = Self.python(.object(output(of: row)))
            return "Finish: \(request)\(Self.python(headers: headers)), out=\(out)"
        }
    }

    /// One object.
    func json(_ event: Event, at time: String) -> JSONValue {
        var object: JSONObject = ["timestamp": .string(time), "event": "request.received", "rid": .string(rid)]
        object["obj"] = .object(fields)
        if !headers.isEmpty { object["headers"] = .object(headers) }
        if case .finished(let row) = event {
            object["event"] = "request.finished"
            object["out"] = .object(output(of: row))
        }
        return .object(object)
    }

    // MARK: Parts

    private static func describe(_ request: Generate, _ level: Int, _ fields: inout JSONObject) {
        if level >= 2 {
            switch request.prompt {
            case .text(let text)?: fields["text"] = shortened(text, level)
            case .ids(let list)?: fields["input_ids"] = shortened(list.ids, level)
            default: break
            }
        }
        if level >= 1 { fields["sampling_params"] = .object(sampling(request.sampling)) }
        if request.hasLogprobs {
            fields["return_logprob"] = true
            fields["logprob_start_len"] = .int(Int64(request.logprobs.start))
            fields["top_logprobs_num"] = .int(Int64(request.logprobs.topCount))
        }
        let options = request.options
        if options.hasPriority { fields["priority"] = .int(options.priority) }
        if !options.routingKey.isEmpty { fields["routing_key"] = .string(options.routingKey) }
    }

    private static func describe(_ request: Embed, _ level: Int, _ fields: inout JSONObject) {
        if level >= 2 {
            switch request.input {
            case .text(let text)?: fields["text"] = shortened(text, level)
            case .pair(let pair)?: fields["text"] = [shortened(pair.first, level), shortened(pair.second, level)]
            case .ids(let list)?: fields["input_ids"] = shortened(list.ids, level)
            case nil: break
            }
        }
        if request.dimensions > 0 { fields["dimensions"] = .int(Int64(request.dimensions)) }
    }

    private static func sampling(_ given: SamplingParams) -> JSONObject {
        var object: JSONObject = [
            "max_new_tokens": .int(Int64(given.maxNewTokens)), "temperature": .double(Double(given.temperature)),
            "top_p": .double(Double(given.topP)), "top_k": .int(Int64(given.topK)),
            "min_p": .double(Double(given.minP)), "sampling_seed": .unsigned(given.seed),
        ]
        if given.minNewTokens > 0 { object["min_new_tokens"] = .int(Int64(given.minNewTokens)) }
        if given.frequencyPenalty != 0 { object["frequency_penalty"] = .double(Double(given.frequencyPenalty)) }
        if given.presencePenalty != 0 { object["presence_penalty"] = .double(Double(given.presencePenalty)) }
        if given.repetitionPenalty != 1 { object["repetition_penalty"] = .double(Double(given.repetitionPenalty)) }
        if !given.stop.isEmpty { object["stop"] = .array(given.stop.map { .string($0) }) }
        if !given.stopRegex.isEmpty { object["stop_regex"] = .array(given.stopRegex.map { .string($0) }) }
        if !given.stopTokenIds.isEmpty {
            object["stop_token_ids"] = .array(given.stopTokenIds.map { .int(Int64($0)) })
        }
        if given.ignoreEos { object["ignore_eos"] = true }
        switch given.grammar {
        case .jsonSchema(let text): object["json_schema"] = .string(text)
        case .regex(let text): object["regex"] = .string(text)
        case .ebnf(let text): object["ebnf"] = .string(text)
        case .structuralTag(let text): object["structural_tag"] = .string(text)
        case nil: break
        }
        return object
    }

    private func output(of row: LedgerRow) -> JSONObject {
        var object = JSONObject()
        if level >= 2 {
            object["text"] = Self.shortened(String(decoding: row.output.text, as: UTF8.self), level)
            object["output_ids"] = Self.shortened(row.output.ids, level)
            if case .embed = row.errand {
                object = ["embedding": row.output.vectorJSON]
            }
        }
        object["meta_info"] = .object(Self.metaInfo(row))
        return object
    }

    /// What the answer's meta_info says of a row.
    static func metaInfo(_ row: LedgerRow) -> JSONObject {
        [
            "id": .string(row.rid.text), "finish_reason": reason(row.finish),
            "prompt_tokens": .int(Int64(row.output.promptTokens)),
            "completion_tokens": .int(Int64(row.output.ids.count)),
            "cached_tokens": .int(Int64(row.output.cachedTokens)),
            "num_retractions": .int(Int64(row.output.retractions)),
            "e2e_latency": .double(max(0, row.finishedAt - row.times.received)),
        ]
    }

    private static func reason(_ finish: FinishReason?) -> JSONValue {
        switch finish?.reason {
        case .stopToken(let id)?, .grammarEnd(let id)?: ["type": "stop", "matched": .int(Int64(id))]
        case .stopString(let text)?, .stopRegex(let text)?: ["type": "stop", "matched": .string(text)]
        case .nan?: ["type": "stop", "matched": "NaN happened"]
        case .length(let length)?: ["type": "length", "length": .int(Int64(length))]
        case .aborted(let aborted)?: ["type": "abort", "message": .string(aborted.message)]
        case nil: .null
        }
    }

    static func shortened(_ text: String, _ level: Int) -> JSONValue {
        guard level < 3, text.utf8.count > longest else { return .string(text) }
        let half = longest / 2
        return .string("\(text.prefix(half)) ... \(text.suffix(half))")
    }

    private static func shortened(_ ids: [Int32], _ level: Int) -> JSONValue {
        let all = ids.map { JSONValue.int(Int64($0)) }
        guard level < 3, ids.count > longest else { return .array(all) }
        let half = longest / 2
        return .array(all.prefix(half) + ["..."] + all.suffix(half))
    }

    /// Headers as they follow a request.
    static func python(headers: JSONObject) -> String {
        headers.isEmpty ? "" : ", headers=" + python(.object(headers))
    }

    /// A value as Python prints it.
    static func python(_ value: JSONValue) -> String {
        switch value {
        case .null: "None"
        case .bool(let flag): flag ? "True" : "False"
        case .int(let number): "\(number)"
        case .unsigned(let number): "\(number)"
        case .double(let number): ArgumentValue.number(number).pythonRepr
        case .string(let text): ArgumentValue.text(text).pythonRepr
        case .array(let elements): "[" + elements.map(python).joined(separator: ", ") + "]"
        case .object(let members):
            "{" + members.map { "\(ArgumentValue.text($0).pythonRepr): \(python($1))" }.joined(separator: ", ") + "}"
        }
    }
}
