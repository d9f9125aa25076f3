internal import APICore
internal import ChatAPI
internal import JSON
internal import Ledger
internal import Messages
internal import NIOCore
internal import OutputParsers
internal import Values

/// Writes the answers of /v1/messages: one object, or the events of a stream.
struct MessagesWriter: AnswerWriter {
    /// What the answer repeats of its request.
    struct Style: Sendable {
        var model: String
        /// How much of the prompt was cached is told.
        var reportsCache: Bool
        /// Tool calls that the conversation holds.
        var earlierCalls: Int
    }

    /// A block of the answer that is being sent.
    private enum Block: Sendable, Equatable {
        case text
        case thinking
        case call(Int)
    }

    private let style: Style
    private let parts: AnswerParts
    private var reader: PieceReader
    private var block: Block?
    /// Number of the block that is being sent, or comes next.
    private var index = 0
    private var hasBegun = false
    private(set) var isOver = false

    init(_ style: Style, _ parts: AnswerParts) {
        self.style = style
        self.parts = parts
        reader = PieceReader(parts)
    }

    func refusal(_ failure: RequestFailure, now: Double) -> ByteBuffer? { nil }

    // MARK: Whole answers

    mutating func whole(_ rows: [LedgerRow], now: Double) throws(RequestFailure) -> [UInt8] {
        let row = rows[0]
        let message = parts.message(String(decoding: row.output.text, as: UTF8.self))
        var content: [JSONValue] = []
        if let thoughts = message.reasoning { content.append(["type": "thinking", "thinking": .string(thoughts)]) }
        if !message.content.isEmpty { content.append(["type": "text", "text": .string(message.content)]) }
        let names = CallNames(row, earlier: style.earlierCalls)
        for (place, call) in message.calls.enumerated() {
            content.append([
                "type": "tool_use", "id": .string(names.id(place, call.name, parts, prefix: "toolu_")),
                "name": .string(call.name), "input": (try? JSON.parse(call.arguments)) ?? [:],
            ])
        }
        var usage = inputUsage(row)
        usage["output_tokens"] = .int(Int64(row.output.ids.count))
        var object = opening(row, content)
        object["stop_reason"] = .string(reason(row.finish, hasCalls: !message.calls.isEmpty))
        object["usage"] = .object(usage)
        return JSON.encode(.object(object))
    }

    private func opening(_ row: LedgerRow, _ content: [JSONValue]) -> JSONObject {
        [
            "id": .string("msg_" + row.rid.text), "type": "message", "role": "assistant", "content": .array(content),
            "model": .string(style.model),
        ]
    }

    private func inputUsage(_ row: LedgerRow) -> JSONObject {
        let cached = style.reportsCache ? row.output.cachedTokens : 0
        var usage: JSONObject = ["input_tokens": .int(Int64(row.output.promptTokens - cached))]
        if cached > 0 { usage["cache_read_input_tokens"] = .int(Int64(cached)) }
        return usage
    }

    private func reason(_ finish: FinishReason?, hasCalls: Bool) -> String {
        switch FinishWords(finish)?.reason {
        case "length": "max_tokens"
        case "stop" where hasCalls: "tool_use"
        default: "end_turn"
        }
    }

    // MARK: Streams

    mutating func frames(_ rows: [LedgerRow], now: Double) -> ByteBuffer {
        var buffer = ByteBuffer()
        for row in rows where !isOver {
            if let failure = row.failure {
                EventStream.append(AnthropicDialect().frame(of: failure), event: "error", to: &buffer)
                isOver = true
            } else {
                append(row, to: &buffer)
            }
        }
        return buffer
    }

    private mutating func append(_ row: LedgerRow, to buffer: inout ByteBuffer) {
        if !hasBegun {
            hasBegun = true
            var usage = inputUsage(row)
            usage["output_tokens"] = 0
            var message = opening(row, [])
            message["usage"] = .object(usage)
            send("message_start", ["message": .object(message)], to: &buffer)
        }
        for piece in reader.pieces(row) { append(piece, of: row, to: &buffer) }
        guard row.isEnded else { return }
        close(to: &buffer)
        let reason = reason(row.finish, hasCalls: reader.parts.endsWithCalls)
        send(
            "message_delta",
            [
                "delta": ["stop_reason": .string(reason)],
                "usage": ["output_tokens": .int(Int64(row.output.ids.count))],
            ], to: &buffer)
        send("message_stop", [:], to: &buffer)
        isOver = true
    }

    private mutating func append(_ piece: AnswerPiece, of row: LedgerRow, to buffer: inout ByteBuffer) {
        switch piece {
        case .content(let text):
            enter(.text, ["type": "text", "text": ""], to: &buffer)
            delta(["type": "text_delta", "text": .string(text)], to: &buffer)
        case .reasoning(let text):
            enter(.thinking, ["type": "thinking", "thinking": ""], to: &buffer)
            delta(["type": "thinking_delta", "thinking": .string(text)], to: &buffer)
        case .call(let place, let name):
            let id = CallNames(row, earlier: style.earlierCalls).id(place, name, parts, prefix: "toolu_")
            enter(
                .call(place), ["type": "tool_use", "id": .string(id), "name": .string(name), "input": [:]], to: &buffer)
        case .arguments(_, let text):
            delta(["type": "input_json_delta", "partial_json": .string(text)], to: &buffer)
        }
    }

    /// Begins a block unless it is the one being sent.
    private mutating func enter(_ next: Block, _ start: JSONObject, to buffer: inout ByteBuffer) {
        guard block != next else { return }
        close(to: &buffer)
        block = next
        send("content_block_start", ["index": .int(Int64(index)), "content_block": .object(start)], to: &buffer)
    }

    private mutating func close(to buffer: inout ByteBuffer) {
        guard block != nil else { return }
        send("content_block_stop", ["index": .int(Int64(index))], to: &buffer)
        block = nil
        index += 1
    }

    private func delta(_ delta: JSONObject, to buffer: inout ByteBuffer) {
        send("content_block_delta", ["index": .int(Int64(index)), "delta": .object(delta)], to: &buffer)
    }

    private func send(_ type: String, _ members: JSONObject, to buffer: inout ByteBuffer) {
        var event: JSONObject = ["type": .string(type)]
        for (name, value) in members { event[name] = value }
        EventStream.append(JSON.encode(.object(event)), event: type, to: &buffer)
    }
}
