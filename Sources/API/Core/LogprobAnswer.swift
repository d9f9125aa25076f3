internal import JSON
internal import Ledger
internal import Messages

/// Writes the log probability lists of meta_info: tuples `[logprob, id, text or null]`.
struct LogprobAnswer {
    let options: LogprobOptions
    let output: RowOutput

    /// Writes the members for the output ids in `range`; the lists of the prompt are always whole.
    func write(_ range: Range<Int>, to json: inout JSONWriter) {
        let input = options.start >= 0 ? output.inputLogprobs : nil
        json.key("input_token_logprobs")
        tuples(input?.tokens ?? TokenLogprobs(), 0..<(input?.tokens.ids.count ?? 0), to: &json)
        json.key("output_token_logprobs")
        tuples(output.logprobs, range, to: &json)
        json.member("output_token_logprobs_length", range.upperBound)
        if options.topCount > 0 {
            json.key("input_top_logprobs")
            inputRows(input, input?.top, width: Int(options.topCount), to: &json)
            json.key("output_top_logprobs")
            rows(output.topLogprobs, range, width: Int(options.topCount), to: &json)
        }
        if options.hasTokenIds {
            let width = options.tokenIds.ids.count
            json.key("input_token_ids_logprobs")
            inputRows(input, input?.chosen, width: width, to: &json)
            json.key("output_token_ids_logprobs")
            rows(output.chosenLogprobs, range, width: width, to: &json)
        }
    }

    /// One list for each position of the prompt; the first, which nothing predicts, is null.
    private func inputRows(_ input: InputLogprobs?, _ lists: TokenLogprobs?, width: Int, to json: inout JSONWriter) {
        json.beginArray()
        if let input, let lists, !input.tokens.ids.isEmpty {
            json.null()
            for row in 0..<input.tokens.ids.count - 1 { tuples(lists, row * width..<(row + 1) * width, to: &json) }
        }
        json.endArray()
    }

    private func rows(_ lists: TokenLogprobs, _ range: Range<Int>, width: Int, to json: inout JSONWriter) {
        json.beginArray()
        for row in range { tuples(lists, row * width..<(row + 1) * width, to: &json) }
        json.endArray()
    }

    /// The part of a run that is there: a worker that sent fewer than asked leaves a shorter list.
    private func tuples(_ run: TokenLogprobs, _ range: Range<Int>, to json: inout JSONWriter) {
        json.beginArray()
        for index in range.clamped(to: 0..<min(run.ids.count, run.values.count)) {
            json.beginArray()
            // NaN, where nothing comes before, becomes null.
            json.double(Double(run.values[index]))
            json.int(run.ids[index])
            if options.withText, index < run.texts.count { json.string(run.texts[index]) } else { json.null() }
            json.endArray()
        }
        json.endArray()
    }
}
