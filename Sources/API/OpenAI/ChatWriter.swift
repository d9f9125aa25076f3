internal import APICore
internal import ChatAPI
internal import JSON
internal import Ledger
internal import Messages
internal import NIOCore
internal import OutputParsers

/// Writes the answers of /v1/chat/completions: one object, or the chunks of a stream.
struct ChatWriter: AnswerWriter {
    /// What all answers to a request have in common.
    struct Style: Sendable {
        var answer: AnswerStyle
        /// Alternatives for each token; nil: no log probabilities.
        var topLogprobs: Int?
        var wishes: ChatAnswerWishes
        /// Takes the text of each row apart.
        var parts = AnswerParts()
        /// Tool calls that the conversation holds.
        var earlierCalls = 0
    }

    /// What a stream sent of one row.
    private struct Progress: Sendable {
        var parts: AnswerParts
        var hasBegun = false
        /// Bytes of text that were taken apart.
        var text = 0
        /// Ids whose log probabilities were sent.
        var logprobs = 0
        var finish: FinishWords?
        /// The row as it ended.
        var row: LedgerRow?
    }

    private let style: Style
    private var progress: [Progress]
    private var json = JSONWriter(reservingCapacity: 1024)
    private(set) var isOver = false
    private var usage = RunningUsage()

    /// - Parameter rows: how many rows the answer has.
    init(_ style: Style, rows: Int) {
        self.style = style
        progress = Array(repeating: Progress(parts: style.parts), count: rows)
    }

    func refusal(_ failure: RequestFailure, now: Double) -> ByteBuffer? { nil }

    // MARK: Whole answers

    mutating func whole(_ rows: [LedgerRow], now: Double) -> [UInt8] {
        style.answer.begin("chat.completion", rows[0], to: &json)
        json.key("choices")
        json.beginArray()
        for row in rows { choice(row, now: now) }
        json.endArray()
        style.answer.end(rows, to: &json)
        AnswerExtension(style.answer, style.wishes).writeMember(rows, to: &json)
        json.endObject()
        return json.bytes
    }

    private mutating func choice(_ row: LedgerRow, now: Double) {
        let message = style.parts.message(String(decoding: row.output.text, as: UTF8.self))
        json.beginObject()
        json.member("index", row.index)
        json.key("message")
        json.beginObject()
        json.member("role", "assistant")
        json.member("content", message.content)
        json.member("reasoning_content", message.reasoning.map { .string($0) } ?? .null)
        if !message.calls.isEmpty { write(message.calls, of: row) }
        json.endObject()
        json.key("logprobs")
        if let topLogprobs = style.topLogprobs {
            ChatLogprobs(topCount: topLogprobs).write(row.output, 0..<row.output.ids.count, to: &json)
        } else {
            json.null()
        }
        var finish = FinishWords(row.finish)
        if !message.calls.isEmpty, finish?.reason == "stop" {
            finish?.reason = "tool_calls"
            finish?.matched = .null
        }
        json.member("finish_reason", finish.map { .string($0.reason) } ?? .null)
        json.member("matched_stop", finish?.matched ?? .null)
        style.answer.writeHiddenStates(row, to: &json)
        writeIDs(row, now: now)
        json.endObject()
    }

    private mutating func write(_ calls: [ToolCall], of row: LedgerRow) {
        let names = CallNames(row, earlier: style.earlierCalls)
        json.key("tool_calls")
        json.beginArray()
        for (index, call) in calls.enumerated() {
            let id = names.id(index, call.name, style.parts)
            ToolCallDelta(index: index, id: id, name: call.name, arguments: call.arguments).write(to: &json)
        }
        json.endArray()
    }

    private mutating func writeIDs(_ row: LedgerRow, now: Double) {
        if style.wishes.promptIDs {
            json.key("prompt_token_ids")
            json.ints(row.output.promptIDs ?? [])
        }
        if style.wishes.outputIDs {
            json.key("response_token_ids")
            json.ints(row.output.ids)
        }
        guard style.wishes.metaInfo else { return }
        var info = MetaInfo.Style()
        info.weights = style.answer.weights
        json.key("meta_info")
        MetaInfo(info).write(row, .init(to: row.output.end, finish: row.finish), now: now, to: &json)
    }

    // MARK: Streams

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
        if !isOver, progress.allSatisfy({ $0.row != nil }) {
            finish(to: &buffer)
            isOver = true
        }
        if isOver { buffer.writeBytes(EventStream.done) }
        return buffer
    }

    private mutating func append(_ row: LedgerRow, to buffer: inout ByteBuffer) {
        let place = row.index
        if !progress[place].hasBegun {
            progress[place].hasBegun = true
            chunk(row, logprobs: nil, to: &buffer) { json in
                json.member("role", "assistant")
                json.member("content", "")
            }
        }
        var cuts = row.cuts
        if row.isEnded, cuts.last != row.output.end { cuts.append(row.output.end) }
        for cut in cuts {
            usage.note(row, completion: cut.ids, samples: style.answer.samples)
            let isLast = row.isEnded && cut == cuts.last
            let text = row.output.text[progress[place].text..<cut.textBytes]
            progress[place].text = cut.textBytes
            var pieces = progress[place].parts.feed(String(decoding: text, as: UTF8.self))
            if isLast { pieces += progress[place].parts.finish() }
            if isLast, pieces.isEmpty, style.topLogprobs != nil, progress[place].logprobs < cut.ids {
                pieces = [.content("")]
            }
            for piece in pieces { append(piece, of: row, upTo: cut.ids, to: &buffer) }
        }
        guard row.isEnded else { return }
        progress[place].row = row
        var finish = FinishWords(row.finish)
        if finish?.reason == "stop", progress[place].parts.endsWithCalls { finish?.reason = "tool_calls" }
        progress[place].finish = finish
    }

    private mutating func append(
        _ piece: AnswerPiece, of row: LedgerRow, upTo ids: Int, to buffer: inout ByteBuffer
    ) {
        let fresh = progress[row.index].logprobs..<ids
        progress[row.index].logprobs = ids
        let (earlier, parts) = (style.earlierCalls, style.parts)
        chunk(row, logprobs: fresh.isEmpty ? nil : fresh, piece: piece, to: &buffer) { json in
            switch piece {
            case .content(let text): json.member("content", text)
            case .reasoning(let text): json.member("reasoning_content", text)
            case .call(let index, let name):
                let id = CallNames(row, earlier: earlier).id(index, name, parts)
                ToolCallDelta(index: index, id: id, name: name, arguments: "").writeDelta(to: &json)
            case .arguments(let index, let text):
                ToolCallDelta(index: index, arguments: text).writeDelta(to: &json)
            }
        }
    }

    /// A chunk with the delta of one row.
    private mutating func chunk(
        _ row: LedgerRow, logprobs range: Range<Int>?, finish: FinishWords? = nil, piece: AnswerPiece? = nil,
        to buffer: inout ByteBuffer, _ delta: (inout JSONWriter) -> Void
    ) {
        json.removeAll()
        style.answer.begin("chat.completion.chunk", row, to: &json)
        json.key("choices")
        json.beginArray()
        json.beginObject()
        json.member("index", row.index)
        json.key("delta")
        json.beginObject()
        if piece?.namesReasoning != true { json.member("reasoning_content", .null) }
        delta(&json)
        json.endObject()
        json.key("logprobs")
        if let range, let topLogprobs = style.topLogprobs {
            ChatLogprobs(topCount: topLogprobs).write(row.output, range, to: &json)
        } else {
            json.null()
        }
        json.member("finish_reason", finish.map { .string($0.reason) } ?? .null)
        json.member("matched_stop", finish?.matched ?? .null)
        json.endObject()
        json.endArray()
        if style.answer.usage.always {
            style.answer.writeUsage(usage.sum, to: &json)
        } else if piece?.isOfCall == true {
            json.member("usage", .null)
        }
        json.endObject()
        EventStream.append(json.bytes, to: &buffer)
    }

    /// What follows when all rows have ended: how each did, extensions, usage.
    private mutating func finish(to buffer: inout ByteBuffer) {
        let rows = progress.compactMap(\.row)
        for row in rows {
            chunk(row, logprobs: nil, finish: progress[row.index].finish, to: &buffer) { _ in }
        }
        for row in rows where style.answer.hiddenStates != nil {
            let answer = style.answer
            chunk(row, logprobs: nil, to: &buffer) { answer.writeHiddenStates(row, to: &$0) }
        }
        let more = AnswerExtension(style.answer, style.wishes)
        if more.isWanted {
            json.removeAll()
            style.answer.begin("chat.completion.chunk", rows[0], to: &json)
            json.member("choices", [])
            more.writeMember(rows, to: &json)
            json.endObject()
            EventStream.append(json.bytes, to: &buffer)
        }
        guard style.answer.usage.atEnd else { return }
        json.removeAll()
        style.answer.begin("chat.completion.chunk", rows[0], to: &json)
        json.member("choices", [])
        style.answer.writeUsage(TokenUsage(rows, samples: style.answer.samples), to: &json)
        json.endObject()
        EventStream.append(json.bytes, to: &buffer)
    }
}
