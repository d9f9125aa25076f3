internal import JSON
internal import Ledger
internal import Messages

/// Writes log probabilities as answers of chats have them.
struct ChatLogprobs: Sendable {
    let topCount: Int

    /// Writes the object for ids of a row.
    func write(_ output: RowOutput, _ range: Range<Int>, to json: inout JSONWriter) {
        json.beginObject()
        json.key("content")
        json.beginArray()
        let run = output.logprobs
        for index in range.clamped(to: 0..<min(run.values.count, run.texts.count)) {
            json.beginObject()
            write(run.texts[index], run.values[index], to: &json)
            json.key("top_logprobs")
            json.beginArray()
            let top = output.topLogprobs
            for place in (index * topCount..<(index + 1) * topCount).clamped(
                to: 0..<min(top.values.count, top.texts.count))
            {
                json.beginObject()
                write(top.texts[place], top.values[place], to: &json)
                json.endObject()
            }
            json.endArray()
            json.endObject()
        }
        json.endArray()
        json.endObject()
    }

    private func write(_ text: String, _ value: Float, to json: inout JSONWriter) {
        json.member("token", text)
        json.key("bytes")
        json.ints(text.utf8.map { Int32($0) })
        json.member("logprob", Double(value))
    }
}
