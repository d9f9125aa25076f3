internal import APICore
internal import ChatAPI
internal import JSON
internal import Ledger
internal import Messages
internal import NIOCore

/// Writes the answers of /v1/completions: one object, or the frames of a stream.
struct CompletionWriter: AnswerWriter {
    /// What all answers to a request have in common.
    struct Style: Sendable {
        var answer: AnswerStyle
        /// Alternatives for each token; nil: no log probabilities.
        var logprobs: Int?
        var returnsTokenIDs = false
        /// Texts of the prompts that are put before the completions; empty for none.
        var echoes: [String] = []
    }

    private let style: Style
    /// How far each row was sent; nil before its first frame.
    private var sent: [RowCut?]
    private var ended: [LedgerRow?]
    private var json = JSONWriter(reservingCapacity: 1024)
    private(set) var isOver = false
    private var usage = RunningUsage()

    /// - Parameter rows: how many rows the answer has.
    init(_ style: Style, rows: Int) {
        self.style = style
        sent = Array(repeating: nil, count: rows)
        ended = Array(repeating: nil, count: rows)
    }

    func refusal(_ failure: RequestFailure, now: Double) -> ByteBuffer? { nil }

    mutating func whole(_ rows: [LedgerRow], now: Double) -> [UInt8] {
        style.answer.begin("text_completion", rows[0], to: &json)
        json.key("choices")
        json.beginArray()
        for row in rows {
            choice(row, from: nil, to: row.output.end, finish: FinishWords(row.finish)) { style, json in
                style.writeHiddenStates(row, to: &json)
            }
        }
        json.endArray()
        style.answer.end(rows, to: &json)
        AnswerExtension(style.answer).writeMember(rows, to: &json)
        json.endObject()
        return json.bytes
    }

    mutating func frames(_ rows: [LedgerRow], now: Double) -> ByteBuffer {
        var buffer = ByteBuffer()
        for row in rows where !isOver {
            if let failure = row.failure {
                EventStream.append(OpenAIDialect().frame(of: failure), to: &buffer)
                isOver = true
            } else {
                append(row, to: &buffer)
            }
        }
        if !isOver, ended.allSatisfy({ $0 != nil }) {
            finish(to: &buffer)
            isOver = true
        }
        if isOver { buffer.writeBytes(EventStream.done) }
        return buffer
    }

    private mutating func append(_ row: LedgerRow, to buffer: inout ByteBuffer) {
        var cuts = row.cuts
        if row.isEnded, cuts.last != row.output.end || sent[row.index] == row.output.end { cuts.append(row.output.end) }
        for (place, cut) in cuts.enumerated() {
            usage.note(row, completion: cut.ids, samples: style.answer.samples)
            json.removeAll()
            style.answer.begin("text_completion", row, to: &json)
            json.key("choices")
            json.beginArray()
            let isLast = row.isEnded && place == cuts.count - 1
            choice(row, from: sent[row.index], to: cut, finish: isLast ? FinishWords(row.finish) : nil)
            json.endArray()
            if style.answer.usage.always {
                style.answer.writeUsage(usage.sum, to: &json)
            } else {
                json.member("usage", .null)
            }
            json.endObject()
            EventStream.append(json.bytes, to: &buffer)
            sent[row.index] = cut
        }
        if row.isEnded { ended[row.index] = row }
    }

    /// The part of a row behind what was sent of it; its first part has what comes before the output too.
    private mutating func choice(
        _ row: LedgerRow, from begin: RowCut?, to end: RowCut, finish: FinishWords?,
        _ more: (AnswerStyle, inout JSONWriter) -> Void = { _, _ in }
    ) {
        let from = begin ?? RowCut()
        let echo = begin == nil && !style.echoes.isEmpty ? style.echoes[row.index / style.answer.samples] : ""
        json.beginObject()
        json.member("index", row.index)
        json.member("text", echo + String(decoding: row.output.text[from.textBytes..<end.textBytes], as: UTF8.self))
        json.key("logprobs")
        if let logprobs = style.logprobs {
            CompletionLogprobs(topCount: logprobs).write(
                row.output, from.ids..<end.ids, withPrompt: begin == nil && !style.echoes.isEmpty, to: &json)
        } else {
            json.null()
        }
        json.member("finish_reason", finish.map { .string($0.reason) } ?? .null)
        json.member("matched_stop", finish?.matched ?? .null)
        more(style.answer, &json)
        if style.returnsTokenIDs {
            json.key("token_ids")
            json.ints(row.output.ids[from.ids..<end.ids])
            if begin == nil {
                json.key("prompt_token_ids")
                json.ints(row.output.promptIDs ?? [])
            }
        }
        json.endObject()
    }

    /// What follows when all rows have ended: hidden states, extensions, usage.
    private mutating func finish(to buffer: inout ByteBuffer) {
        let (rows, answer) = (ended.compactMap { $0 }, style.answer)
        for row in rows where answer.hiddenStates != nil {
            last(rows[0], to: &buffer) { json in
                json.key("choices")
                json.beginArray()
                json.beginObject()
                json.member("index", row.index)
                json.member("text", "")
                for name in ["logprobs", "finish_reason", "matched_stop"] { json.member(name, .null) }
                answer.writeHiddenStates(row, to: &json)
                json.endObject()
                json.endArray()
                json.member("usage", .null)
            }
        }
        let more = AnswerExtension(answer)
        if more.isWanted {
            last(rows[0], to: &buffer) { json in
                json.member("choices", [])
                json.member("usage", .null)
                more.writeMember(rows, to: &json)
            }
        }
        guard answer.usage.atEnd else { return }
        last(rows[0], to: &buffer) { json in
            json.member("choices", [])
            answer.writeUsage(TokenUsage(rows, samples: answer.samples), dropsNulls: true, to: &json)
        }
    }

    /// A frame behind all text.
    private mutating func last(_ row: LedgerRow, to buffer: inout ByteBuffer, _ members: (inout JSONWriter) -> Void) {
        json.removeAll()
        style.answer.begin("text_completion", row, to: &json)
        members(&json)
        json.endObject()
        EventStream.append(json.bytes, to: &buffer)
    }
}
