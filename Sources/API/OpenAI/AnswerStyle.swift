internal import APICore
internal import ChatAPI
internal import JSON
internal import Ledger
internal import Messages
internal import Values

/// What every answer of OpenAI's interface begins and ends with.
struct AnswerStyle: Sendable {
    /// The name that the client gave the model.
    var model: String
    /// Names the weights that answers were computed with.
    var weights: WeightNames
    /// Samples of each prompt.
    var samples: Int
    var usage: GenerationFields.UsageWish
    /// How much of the prompts was cached is told.
    var reportsCache: Bool
    /// Where cached tokens lay is told.
    var tellsCachedDetails: Bool
    /// Which hidden states are told; nil: none.
    var hiddenStates: GenerationFields.HiddenStateWish?
    /// Which experts tokens took is told.
    var tellsRoutedExperts: Bool

    init(_ fields: GenerationFields, weights: WeightNames, reportsCache: Bool) {
        model = fields.model
        self.weights = weights
        samples = fields.samples
        usage = fields.usage
        self.reportsCache = reportsCache
        tellsCachedDetails = fields.returnsCachedDetails
        hiddenStates = fields.hiddenStates
        tellsRoutedExperts = fields.routedExpertsStart != nil
    }

    /// Opens the object of an answer or a chunk, with the members before `choices`.
    func begin(_ kind: String, _ row: LedgerRow, to json: inout JSONWriter) {
        json.beginObject()
        json.member("id", row.rid.text)
        json.member("object", kind)
        json.member("created", Int(row.times.received))
        json.member("model", model)
    }

    /// The members of a whole answer behind `choices`; leaves the object open.
    func end(_ rows: [LedgerRow], to json: inout JSONWriter) {
        writeUsage(TokenUsage(rows, samples: samples), to: &json)
        json.key("metadata")
        json.beginObject()
        let output = rows[0].output
        json.member("weight_version", weights.version(of: output))
        json.weightVersions(weights.spans(of: output, count: output.ids.count))
        json.endObject()
    }

    /// The member `hidden_states` of a row, if it was asked for.
    func writeHiddenStates(_ row: LedgerRow, to json: inout JSONWriter) {
        let answer = HiddenStateAnswer(mode: .lastRow, states: row.output.hidden)
        switch hiddenStates {
        case .last: answer.writeLast(to: &json)
        case .each: answer.write(row.output.ids.count, to: &json)
        case nil: break
        }
    }

    /// The member `usage`.
    func writeUsage(_ usage: TokenUsage, dropsNulls: Bool = false, to json: inout JSONWriter) {
        json.key("usage")
        usage.write(to: &json, reportsCache: reportsCache, dropsNulls: dropsNulls)
    }
}

/// The usage of a stream as far as it has come.
struct RunningUsage: Sendable {
    private var rows: [Int: TokenUsage] = [:]

    /// A row has so much output now.
    mutating func note(_ row: LedgerRow, completion: Int, samples: Int) {
        var usage = TokenUsage()
        usage.add(row, completion: completion, samples: samples)
        rows[row.index] = usage
    }

    /// Over all rows.
    var sum: TokenUsage {
        var sum = TokenUsage()
        for usage in rows.values {
            sum.prompt += usage.prompt
            sum.completion += usage.completion
            sum.cached += usage.cached
            sum.reasoning += usage.reasoning
        }
        return sum
    }
}

/// The member `sglext`, in which gateways find what OpenAI's answers have no place for.
struct AnswerExtension: Sendable {
    private let experts: Bool
    private let details: Bool
    private let input: Bool
    private let output: Bool

    /// - Parameter wishes: those of a chat; nil for other answers.
    init(_ style: AnswerStyle, _ wishes: ChatAnswerWishes? = nil) {
        experts = style.tellsRoutedExperts
        details = style.tellsCachedDetails
        (input, output) = (wishes?.extendedInput ?? false, wishes?.extendedOutput ?? false)
    }

    /// Where the cached tokens of the first row lay.
    private static func writeCachedDetails(_ rows: [LedgerRow], to json: inout JSONWriter) {
        json.beginObject()
        json.member("device", rows.first?.output.cachedTokens ?? 0)
        json.member("host", 0)
        json.endObject()
    }

    /// Something of it was asked for.
    var isWanted: Bool { experts || details || input || output }

    /// Writes the member, if anything of it was asked for.
    func writeMember(_ rows: [LedgerRow], to json: inout JSONWriter) {
        guard isWanted else { return }
        json.key("sglext")
        json.beginObject()
        if experts, let taken = rows.lazy.compactMap(\.output.routedExperts).first {
            json.key("routed_experts")
            json.base64(taken)
        }
        if details {
            json.key("cached_tokens_details")
            Self.writeCachedDetails(rows, to: &json)
        }
        for (name, isWanted, ids) in [
            ("input_ids", input, { (row: LedgerRow) in row.output.promptIDs ?? [] }),
            ("output_ids", output, { (row: LedgerRow) in row.output.ids }),
        ] where isWanted {
            json.key(name)
            json.beginArray()
            for row in rows { json.ints(ids(row)) }
            json.endArray()
        }
        json.endObject()
    }
}

extension GenerationServices {
    /// How answers to a request look.
    func style(_ fields: GenerationFields) -> AnswerStyle {
        AnswerStyle(fields, weights: board.weights, reportsCache: reportsCache)
    }
}
