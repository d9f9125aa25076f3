/// The channels of Kimi K3: each stands between two marks.
enum KimiChannel: String, Sendable {
    case think, response, message, tools, call, argument

    /// What begins it.
    var open: String { "<|open|>\(rawValue)<|sep|>" }
    /// What ends it.
    var close: String { "<|close|>\(rawValue)<|sep|>" }

    /// What stands around the answer itself and goes.
    static let wrappers = [response.open, response.close, message.close]

    /// Whether a text is a mark that an answer was cut off in: at one of the tokens that it is made of.
    static func isCutMark(_ text: String) -> Bool {
        if text == "<|open|>" || text == "<|close|>" { return true }
        let channels = [think, response, tools]
        let marks = channels.map(\.open) + channels.map(\.close) + [message.close]
        return marks.contains { $0.removing(suffix: "<|sep|>") == text }
    }
}
