internal import APICore
internal import ChatAPI
internal import JSON
internal import Ledger
internal import Messages
internal import NIOCore
internal import Values

/// Writes the answers of /v1/responses: one object, or the events of a stream.
struct ResponsesWriter: AnswerWriter {
    /// What the answer repeats of its request.
    struct Style: Sendable {
        var model: String
        var repeated: JSONObject
        /// The form that the request asked for; nil: any text.
        var form: JSONValue?
        /// Tool calls that the conversation holds.
        var earlierCalls: Int

        /// - Parameter repeated: the members, or an earlier state of the whole response.
        init(_ repeated: JSONObject, _ chat: PlannedChat) {
            model = chat.request.fields.model
            self.repeated = repeated
            if let text = repeated["text"], !text.isNull { form = text }
            for name in ["id", "created_at", "output", "status", "usage", "text"] { self.repeated[name] = nil }
            earlierCalls = chat.request.earlierCalls
        }
    }

    /// What the names of responses begin with.
    static let prefix = "resp_"

    /// An item that is being sent.
    private enum Open: Sendable {
        case reasoning(String)
        case message(String)
        case call(index: Int, name: String, arguments: String)
    }

    private let style: Style
    private let parts: AnswerParts
    private var reader: PieceReader
    private var open: Open?
    private var output: [JSONValue] = []
    private var sequence: Int64 = 0
    private(set) var isOver = false

    init(_ style: Style, _ parts: AnswerParts) {
        self.style = style
        self.parts = parts
        reader = PieceReader(parts)
    }

    func refusal(_ failure: RequestFailure, now: Double) -> ByteBuffer? { nil }

    mutating func whole(_ rows: [LedgerRow], now: Double) -> [UInt8] { JSON.encode(.object(object(rows[0]))) }

    /// The whole response, now that it is over.
    func object(_ row: LedgerRow) -> JSONObject {
        response(row, items(row).all(parts.message(String(decoding: row.output.text, as: UTF8.self))))
    }

    /// A response that has only been asked for.
    func begun(rid: String, now: Double) -> JSONObject {
        var row = LedgerRow(refused: .draining, rid: ClientName(rid), now: now)
        row.state = .held(.init(), since: now)
        return response(row, [])
    }

    /// The name of a row's response.
    func id(_ row: LedgerRow) -> String { Self.prefix + row.rid.text }

    private func items(_ row: LedgerRow) -> ResponseItems {
        ResponseItems(row: row, earlierCalls: style.earlierCalls, parts: parts)
    }

    /// The response as it is: under way, or over.
    private func response(_ row: LedgerRow, _ output: [JSONValue]) -> JSONObject {
        var object: JSONObject = [
            "id": .string(id(row)), "object": "response", "created_at": .int(Int64(row.times.received)),
            "model": .string(style.model), "output": .array(output), "status": .string(status(row)),
            "usage": row.isEnded ? .object(usage(row)) : .null,
        ]
        for (name, value) in style.repeated { object[name] = value }
        switch status(row) {
        case "incomplete": object["incomplete_details"] = ["reason": "max_output_tokens"]
        case "failed": object["error"] = ["code": "server_error", "message": .string(abortMessage(row))]
        default: break
        }
        let isText = output.allSatisfy { $0["type"] == "message" }
        object["text"] = style.form ?? (row.isEnded && isText ? ["format": ["type": "text"]] : .null)
        return object
    }

    private func status(_ row: LedgerRow) -> String {
        switch FinishWords(row.finish)?.reason {
        case nil: "in_progress"
        case "length": "incomplete"
        case "abort": "failed"
        default: "completed"
        }
    }

    private func abortMessage(_ row: LedgerRow) -> String {
        guard case .aborted(let abort)? = row.finish?.reason, !abort.message.isEmpty else {
            return "Generation aborted"
        }
        return abort.message
    }

    private func usage(_ row: LedgerRow) -> JSONObject {
        let (input, output) = (Int64(row.output.promptTokens), Int64(row.output.ids.count))
        return [
            "input_tokens": .int(input),
            "input_tokens_details": ["cached_tokens": .int(Int64(row.output.cachedTokens)), "cache_write_tokens": 0],
            "output_tokens": .int(output),
            "output_tokens_details": ["reasoning_tokens": .int(Int64(row.output.thinkingTokens))],
            "total_tokens": .int(input + output),
        ]
    }

    // MARK: Streams

    mutating func frames(_ rows: [LedgerRow], now: Double) -> ByteBuffer {
        var buffer = ByteBuffer()
        for row in rows where !isOver {
            if let failure = row.failure { fail(row, failure, to: &buffer) } else { append(row, to: &buffer) }
        }
        return buffer
    }

    private mutating func fail(_ row: LedgerRow, _ failure: RequestFailure, to buffer: inout ByteBuffer) {
        var object = response(row, output)
        object["status"] = "failed"
        object["error"] = ResponsesDialect().error(failure)
        send("response.failed", ["response": .object(object)], to: &buffer)
        isOver = true
    }

    private mutating func append(_ row: LedgerRow, to buffer: inout ByteBuffer) {
        if sequence == 0 {
            var begun = row
            begun.state = .held(.init(), since: row.times.received)
            let object = JSONValue.object(response(begun, []))
            for type in ["response.created", "response.in_progress"] { send(type, ["response": object], to: &buffer) }
        }
        for piece in reader.pieces(row) { append(piece, of: row, to: &buffer) }
        guard row.isEnded else { return }
        close(row, isCommentary: false, isLast: true, to: &buffer)
        send("response.\(status(row))", ["response": .object(response(row, output))], to: &buffer)
        isOver = true
    }

    private mutating func append(_ piece: AnswerPiece, of row: LedgerRow, to buffer: inout ByteBuffer) {
        switch (piece, open) {
        case (.reasoning(let text), .reasoning(let before)?):
            open = .reasoning(before + text)
            delta("response.reasoning_text.delta", text, row, "rs", to: &buffer)
        case (.content(let text), .message(let before)?):
            open = .message(before + text)
            delta("response.output_text.delta", text, row, "msg", to: &buffer)
        case (.arguments(_, let text), .call(let index, let name, let before)?):
            open = .call(index: index, name: name, arguments: before + text)
            send(
                "response.function_call_arguments.delta",
                ["delta": .string(text), "item_id": items(row).id("fc", output.count), "output_index": place],
                to: &buffer)
        case (.call(let index, let name), _):
            close(row, isCommentary: true, to: &buffer)
            open = .call(index: index, name: name, arguments: "")
            add(items(row).call(index, name, nil, at: output.count), to: &buffer)
        case (.reasoning, _):
            close(row, isCommentary: false, to: &buffer)
            open = .reasoning("")
            add(items(row).reasoning(nil, at: output.count), to: &buffer)
            addPart(["text": "", "type": "reasoning_text"], row, "rs", to: &buffer)
            append(piece, of: row, to: &buffer)
        case (.content, _):
            close(row, isCommentary: true, to: &buffer)
            open = .message("")
            add(items(row).message(nil, at: output.count, isCommentary: false), to: &buffer)
            addPart(ResponseItems.text(""), row, "msg", to: &buffer)
            append(piece, of: row, to: &buffer)
        case (.arguments, _): break
        }
    }

    /// Ends the item that is being sent.
    private mutating func close(
        _ row: LedgerRow, isCommentary: Bool, isLast: Bool = false, to buffer: inout ByteBuffer
    ) {
        let items = items(row)
        let item: JSONObject
        switch open {
        case nil: return
        case .reasoning(let text)?:
            item = items.reasoning(text, at: output.count)
            done("response.reasoning_text.done", ["text": .string(text)], row, "rs", to: &buffer)
            let part: JSONValue = ["text": .string(text), "type": "reasoning_text"]
            done("response.content_part.done", ["part": part], row, "rs", to: &buffer)
        case .message(let text)?:
            item = items.message(text, at: output.count, isCommentary: isCommentary)
            done("response.output_text.done", ["logprobs": [], "text": .string(text)], row, "msg", to: &buffer)
            let part = JSONValue.object(ResponseItems.text(text))
            done("response.content_part.done", ["part": part], row, "msg", to: &buffer)
        case .call(let index, let name, let arguments)?:
            item = items.call(index, name, arguments, at: output.count, isCut: isLast && reader.parts.isCallOpen)
            send(
                "response.function_call_arguments.done",
                [
                    "arguments": .string(arguments), "item_id": items.id("fc", output.count), "output_index": place,
                    "name": .string(name),
                ], to: &buffer)
        }
        send("response.output_item.done", ["item": .object(item), "output_index": place], to: &buffer)
        output.append(.object(item))
        open = nil
    }

    /// The place of the item that is being sent.
    private var place: JSONValue { .int(Int64(output.count)) }

    private mutating func add(_ item: JSONObject, to buffer: inout ByteBuffer) {
        send("response.output_item.added", ["item": .object(item), "output_index": place], to: &buffer)
    }

    private mutating func addPart(
        _ part: JSONObject, _ row: LedgerRow, _ prefix: String, to buffer: inout ByteBuffer
    ) { done("response.content_part.added", ["part": .object(part)], row, prefix, to: &buffer) }

    private mutating func delta(
        _ type: String, _ text: String, _ row: LedgerRow, _ prefix: String, to buffer: inout ByteBuffer
    ) {
        var members: JSONObject = ["delta": .string(text)]
        if prefix == "msg" { members["logprobs"] = [] }
        done(type, members, row, prefix, to: &buffer)
    }

    /// An event of the first part of the item that is being sent.
    private mutating func done(
        _ type: String, _ members: JSONObject, _ row: LedgerRow, _ prefix: String, to buffer: inout ByteBuffer
    ) {
        var event: JSONObject = [
            "content_index": 0, "item_id": items(row).id(prefix, output.count), "output_index": place,
        ]
        for (name, value) in members { event[name] = value }
        send(type, event, to: &buffer)
    }

    private mutating func send(_ type: String, _ members: JSONObject, to buffer: inout ByteBuffer) {
        var event: JSONObject = ["type": .string(type), "sequence_number": .int(sequence)]
        for (name, value) in members { event[name] = value }
        sequence += 1
        EventStream.append(JSON.encode(.object(event)), event: type, to: &buffer)
    }
}
