import ArgumentParser
import JSON
import Values

/// How a server wants to be asked, and how it tells of tokens.
package enum Dialect: String, ExpressibleByArgument, CaseIterable {
    /// SGLang's /generate.
    case native
    /// OpenAI's /v1/completions.
    case openai

    /// What both ends of a run agree on for all requests.
    package struct Settings {
        let model: String
        let temperature: Double
        let ignoresEOS: Bool

        /// States the settings.
        package init(model: String, temperature: Double, ignoresEOS: Bool) {
            self.model = model
            self.temperature = temperature
            self.ignoresEOS = ignoresEOS
        }
    }

    /// Where requests go.
    package var path: String { self == .native ? "/generate" : "/v1/completions" }

    /// A request's body.
    package func body(_ request: PlannedRequest, _ settings: Settings) -> [UInt8] {
        var body: JSONObject = ["stream": true]
        switch self {
        case .native:
            switch request.prompt {
            case .ids(let ids): body["input_ids"] = .array(ids.map { .int(Int64($0)) })
            case .text(let text): body["text"] = .string(text)
            }
            body["sampling_params"] = [
                "max_new_tokens": .int(Int64(request.outputLength)), "temperature": .double(settings.temperature),
                "ignore_eos": .bool(settings.ignoresEOS),
            ]
        case .openai:
            switch request.prompt {
            case .ids(let ids): body["prompt"] = .array(ids.map { .int(Int64($0)) })
            case .text(let text): body["prompt"] = .string(text)
            }
            body["model"] = .string(settings.model)
            body["max_tokens"] = .int(Int64(request.outputLength))
            body["temperature"] = .double(settings.temperature)
            body["ignore_eos"] = .bool(settings.ignoresEOS)
            body["stream_options"] = ["include_usage": true, "continuous_usage_stats": true]
        }
        return JSON.encode(.object(body))
    }
}

/// Counts one stream's tokens without reading its events as JSON, but for the last: the load generator shares the
/// processor with the server that it measures.
package struct StreamReader {
    /// What an event tells.
    package enum Event: Equatable {
        /// There are so many tokens now.
        case tokens(Int)
        /// Nothing of interest.
        case other
        /// The end of the stream.
        case done
        /// The server gave up.
        case failed(String)
    }

    /// Tokens so far.
    package private(set) var tokens = 0
    private var last: [UInt8] = []

    /// Starts at the beginning of a stream.
    package init() {}

    /// Takes the data of one event.
    package mutating func take(_ event: [UInt8]) -> Event {
        if event.elementsEqual("[DONE]".utf8) { return .done }
        if let total = event.integer(after: Self.completionTokens) {
            last = event
            return advance(to: total)
        }
        if event.holds(bytes: Self.error), let message = Self.message(event) { return .failed(message) }
        return event.containsText ? advance(to: tokens + 1) : .other
    }

    private mutating func advance(to total: Int) -> Event {
        guard total > tokens else { return .other }
        tokens = total
        return .tokens(total)
    }

    /// What the server says at the end of its own count.
    package var ending: (promptTokens: Int?, cachedTokens: Int?, failure: String?) {
        guard !last.isEmpty, let event = try? JSON.parse(last) else { return (nil, nil, nil) }
        let usage = event["meta_info"] ?? event["usage"]
        let finish = event["meta_info"]?["finish_reason"]
        let isAborted = finish?["type"]?.stringValue == "abort"
        return (
            usage?["prompt_tokens"]?.intValue,
            usage?["cached_tokens"]?.intValue ?? usage?["prompt_tokens_details"]?["cached_tokens"]?.intValue,
            isAborted ? "aborted: \(finish?["message"]?.stringValue ?? "no reason given")" : nil
        )
    }

    /// The message of an error answer; nil when it is none.
    static func message(_ body: [UInt8]) -> String? {
        guard let error = try? JSON.parse(body)["error"] else { return nil }
        return error["message"]?.stringValue ?? error.stringValue
    }

    private static let completionTokens = Array(#""completion_tokens":"#.utf8)
    private static let error = Array(#""error":"#.utf8)
}

extension [UInt8] {
    /// The number behind the last occurrence of `key`.
    ///
    /// A quoted key cannot occur inside a JSON string, whose quotes are escaped.
    fileprivate func integer(after key: [UInt8]) -> Int? {
        guard let start = lastRange(ofBytes: key)?.upperBound else { return nil }
        let digits = self[start...].drop { $0 == UInt8(ascii: " ") }.prefix { (48...57).contains($0) }
        return Int(String(decoding: digits, as: UTF8.self))
    }

    /// Whether a completion's chunk has any text.
    fileprivate var containsText: Bool {
        guard let start = lastRange(ofBytes: Array(#""text":"#.utf8))?.upperBound else { return false }
        let value = self[start...].drop { $0 == UInt8(ascii: " ") }
        return value.count > 1 && value.first == UInt8(ascii: "\"") && value.dropFirst().first != UInt8(ascii: "\"")
    }
}
