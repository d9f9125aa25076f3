package import JSON
package import Ledger

/// How many tokens went in and came out, as the answers of OpenAI's interface tell it.
package struct TokenUsage: Sendable, Equatable {
    package var prompt = 0
    package var completion = 0
    package var cached = 0
    package var reasoning = 0

    package init() {}

    /// The sum over rows, prompt by prompt; a prompt counts once, however many samples it has.
    ///
    /// - Parameter counts: tokens of each row so far.
    package init(_ rows: [LedgerRow], samples: Int) {
        for row in rows { add(row, completion: row.output.ids.count, samples: samples) }
    }

    /// Counts a row with so many tokens of output.
    package mutating func add(_ row: LedgerRow, completion count: Int, samples: Int) {
        completion += count
        reasoning += min(row.output.thinkingTokens, count)
        guard row.index % samples == 0 else { return }
        prompt += row.output.promptTokens
        cached += row.output.cachedTokens
    }

    package var total: Int { prompt + completion }

    /// Writes the object.
    ///
    /// - Parameters:
    ///   - reportsCache: how much of the prompts was cached is part of it.
    ///   - dropsNulls: members without a value are left out.
    package func write(to json: inout JSONWriter, reportsCache: Bool, dropsNulls: Bool = false) {
        json.beginObject()
        json.member("prompt_tokens", prompt)
        json.member("total_tokens", total)
        json.member("completion_tokens", completion)
        if reportsCache {
            json.key("prompt_tokens_details")
            json.beginObject()
            json.member("cached_tokens", cached)
            json.endObject()
        } else if !dropsNulls {
            json.member("prompt_tokens_details", .null)
        }
        json.member("reasoning_tokens", reasoning)
        if reasoning > 0 {
            json.key("completion_tokens_details")
            json.beginObject()
            json.member("reasoning_tokens", reasoning)
            json.endObject()
        } else if !dropsNulls {
            json.member("completion_tokens_details", .null)
        }
        json.endObject()
    }
}
