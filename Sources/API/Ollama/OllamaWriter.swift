internal import APICore
internal import ChatAPI
internal import JSON
internal import Ledger
internal import Messages
internal import NIOCore
internal import Values

/// Writes the answers of /api/chat and /api/generate: one object, or lines of them.
struct OllamaWriter: AnswerWriter {
    /// The name that the client gave the model.
    let model: String
    /// The answer is a message rather than text.
    let isChat: Bool
    private let parts: AnswerParts
    private var reader: PieceReader
    private(set) var isOver = false

    init(model: String, isChat: Bool, _ parts: AnswerParts) {
        (self.model, self.isChat) = (model, isChat)
        self.parts = parts
        reader = PieceReader(parts)
    }

    func refusal(_ failure: RequestFailure, now: Double) -> ByteBuffer? { nil }

    mutating func whole(_ rows: [LedgerRow], now: Double) -> [UInt8] {
        let row = rows[0]
        let text = parts.message(String(decoding: row.output.text, as: UTF8.self)).content
        var object = object(text, now: now)
        end(&object, row)
        if !isChat { object["context"] = .null }
        object["total_duration"] = .int(Int64(max(0, row.finishedAt - row.times.received) * 1e9))
        object["load_duration"] = .null
        object["prompt_eval_count"] = .int(Int64(row.output.promptTokens))
        object["prompt_eval_duration"] = .null
        object["eval_count"] = .int(Int64(row.output.ids.count))
        object["eval_duration"] = .null
        return JSON.encode(.object(object))
    }

    mutating func frames(_ rows: [LedgerRow], now: Double) -> ByteBuffer {
        var buffer = ByteBuffer()
        for row in rows where !isOver {
            if let failure = row.failure {
                line(OllamaDialect().frame(of: failure), to: &buffer)
                isOver = true
                continue
            }
            for piece in reader.pieces(row) {
                guard case .content(let text) = piece else { continue }
                var object = object(text, now: now)
                object["done"] = false
                object["done_reason"] = .null
                line(JSON.encode(.object(object)), to: &buffer)
            }
            guard row.isEnded else { continue }
            var object = object("", now: now)
            end(&object, row)
            line(JSON.encode(.object(object)), to: &buffer)
            isOver = true
        }
        return buffer
    }

    /// An answer to a prompt that says nothing.
    func empty(now: Double) -> [UInt8] {
        var object = object("", now: now)
        object["done"] = true
        object["done_reason"] = "stop"
        return JSON.encode(.object(object))
    }

    private func line(_ json: [UInt8], to buffer: inout ByteBuffer) {
        buffer.writeBytes(json)
        buffer.writeInteger(UInt8(ascii: "\n"))
    }

    private func object(_ text: String, now: Double) -> JSONObject {
        var object: JSONObject = ["model": .string(model), "created_at": .string(OllamaTime.text(now))]
        if isChat {
            object["message"] = ["role": "assistant", "content": .string(text), "images": .null]
        } else {
            object["response"] = .string(text)
        }
        return object
    }

    private func end(_ object: inout JSONObject, _ row: LedgerRow) {
        object["done"] = true
        object["done_reason"] = FinishWords(row.finish)?.reason == "length" ? "length" : "stop"
    }
}

/// Times as Ollama writes them.
enum OllamaTime {
    /// ISO 8601 with milliseconds: `2026-01-05T10:00:00.000Z`.
    static func text(_ seconds: Double) -> String { String(CalendarTime(utc: seconds).iso.dropLast(3)) + "Z" }
}
