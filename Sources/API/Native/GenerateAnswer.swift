internal import APICore
internal import JSON
internal import Ledger
internal import Messages
internal import Values

/// Writes the JSON of one /generate answer: the final object, or a frame of a stream, with SGLang's keys in SGLang's order.
struct GenerateAnswer: Sendable {
    let style: MetaInfo.Style
    var returnsPromptIDs = false

    /// Writes the object for one row.
    ///
    /// - Parameter now: seconds since 1970; the time at which the answer leaves.
    func write(_ row: LedgerRow, _ extent: MetaInfo.Extent, now: Double, to json: inout JSONWriter) {
        json.beginObject()
        if !style.skipsTokenizer {
            let text = row.output.text[extent.from.textBytes..<extent.to.textBytes]
            json.member("text", String(decoding: text, as: UTF8.self))
        }
        json.key("output_ids")
        json.ints(row.output.ids[extent.from.ids..<extent.to.ids])
        json.key("meta_info")
        MetaInfo(style).write(row, extent, now: now, to: &json)
        if returnsPromptIDs {
            json.key("prompt_token_ids")
            json.ints(row.output.promptIDs ?? [])
        }
        if let index = extent.index { json.member("index", index) }
        json.endObject()
    }
}
