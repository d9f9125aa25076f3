internal import ChatAPI
internal import JSON
internal import Ledger
internal import OutputParsers
internal import Values

/// The items of a response's output. Their ids follow from the row's name and their place.
struct ResponseItems: Sendable {
    let row: LedgerRow
    let earlierCalls: Int
    let parts: AnswerParts

    /// An item's id.
    func id(_ prefix: String, _ place: Int) -> JSONValue { .string("\(prefix)_\(row.rid.text)\(place)") }

    /// Thoughts; nil while there are none yet.
    func reasoning(_ text: String?, at place: Int) -> JSONObject {
        [
            "id": id("rs", place), "summary": [], "type": "reasoning",
            "content": text.map { [["text": .string($0), "type": "reasoning_text"]] } ?? [],
            "encrypted_content": .null, "status": text == nil ? "in_progress" : "completed",
        ]
    }

    /// A message; nil while there is none yet.
    func message(_ text: String?, at place: Int, isCommentary: Bool) -> JSONObject {
        [
            "id": id("msg", place), "content": text.map { [.object(Self.text($0))] } ?? [], "role": "assistant",
            "status": text == nil ? "in_progress" : "completed", "type": "message",
            "phase": isCommentary ? "commentary" : "final_answer",
        ]
    }

    /// The part of a message that is text.
    static func text(_ text: String) -> JSONObject {
        ["annotations": [], "text": .string(text), "type": "output_text", "logprobs": .null]
    }

    /// A call; its arguments are nil while there are none yet.
    ///
    /// - Parameter isCut: the answer ended before they did.
    func call(
        _ index: Int, _ name: String, _ arguments: String?, at place: Int, isCut: Bool = false
    ) -> JSONObject {
        [
            "arguments": .string(arguments ?? ""),
            "call_id": .string(CallNames(row, earlier: earlierCalls).id(index, name, parts)), "name": .string(name),
            "type": "function_call", "id": id("fc", place),
            "status": arguments == nil ? "in_progress" : isCut ? "incomplete" : "completed",
        ]
    }

    /// All items of a whole answer.
    func all(_ message: AnswerMessage) -> [JSONValue] {
        var items: [JSONObject] = []
        if let thoughts = message.reasoning { items.append(reasoning(thoughts, at: 0)) }
        if !message.content.isEmpty {
            items.append(
                self.message(message.content, at: items.count, isCommentary: !message.calls.isEmpty))
        }
        for (index, call) in message.calls.enumerated() {
            items.append(self.call(index, call.name, call.arguments, at: items.count))
        }
        return items.map { .object($0) }
    }

    /// A response's output as messages that a later response goes on from; thoughts are not among them.
    static func messages(of response: JSONObject) -> [JSONValue] {
        var (text, calls) = ("", [JSONValue]())
        for item in response["output"]?.arrayValue ?? [] {
            switch item["type"] {
            case "message":
                for part in item["content"]?.arrayValue ?? [] { text += part["text"]?.stringValue ?? "" }
            case "function_call":
                calls.append([
                    "id": item["call_id"] ?? "", "type": "function",
                    "function": ["name": item["name"] ?? "", "arguments": item["arguments"] ?? "{}"],
                ])
            default: break
            }
        }
        guard !text.isEmpty || !calls.isEmpty else { return [] }
        var message: JSONObject = ["role": "assistant", "content": .string(text)]
        if !calls.isEmpty { message["tool_calls"] = .array(calls) }
        return [.object(message)]
    }
}
