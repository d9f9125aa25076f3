internal import JSON
internal import Ledger
internal import Messages

/// Writes log probabilities as answers of completions have them: parallel lists over the tokens.
struct CompletionLogprobs: Sendable {
    let topCount: Int

    /// Writes the object for ids of a row.
    ///
    /// - Parameter withPrompt: the prompt's tokens come first.
    func write(_ output: RowOutput, _ range: Range<Int>, withPrompt: Bool, to json: inout JSONWriter) {
        var lists = Lists()
        if withPrompt, let input = output.inputLogprobs {
            for index in input.tokens.texts.indices {
                // The first token has nothing before it that could predict it.
                lists.append(input.tokens, index, index == 0 ? nil : top(input.top, index - 1))
            }
        }
        for index in range.clamped(to: 0..<min(output.logprobs.values.count, output.logprobs.texts.count)) {
            lists.append(output.logprobs, index, top(output.topLogprobs, index))
        }
        lists.write(withTop: topCount > 0, to: &json)
    }

    /// The alternatives at a place, by their texts: two with the same text collapse.
    private func top(_ run: TokenLogprobs, _ place: Int) -> JSONObject {
        var table: JSONObject = [:]
        let range = (place * topCount..<(place + 1) * topCount).clamped(to: 0..<min(run.values.count, run.texts.count))
        for index in range { table[run.texts[index]] = .double(Double(run.values[index])) }
        return table
    }

    private struct Lists {
        var texts: [String] = []
        var values: [Float] = []
        var top: [JSONObject?] = []

        mutating func append(_ run: TokenLogprobs, _ index: Int, _ alternatives: JSONObject?) {
            texts.append(run.texts[index])
            values.append(run.values[index])
            top.append(alternatives)
        }

        func write(withTop: Bool, to json: inout JSONWriter) {
            json.beginObject()
            json.key("text_offset")
            json.ints(texts.map { _ in -1 })
            json.key("token_logprobs")
            json.beginArray()
            for value in values { json.double(Double(value)) }
            json.endArray()
            json.key("tokens")
            json.beginArray()
            for text in texts { json.string(text) }
            json.endArray()
            json.key("top_logprobs")
            json.beginArray()
            if withTop { for table in top { json.value(table.map { .object($0) } ?? .null) } }
            json.endArray()
            json.endObject()
        }
    }
}
