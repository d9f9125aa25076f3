import Foundation
import JSON
import OutputParsers
import Testing

/// What the reference's parsers made of answers, as make_parser_goldens.py writes it.
struct Goldens {
    /// One answer read by one parser.
    struct Call {
        let parser: String
        let text: String
        let answer: ToolCallAnswer
    }

    /// One answer read by one reasoning parser.
    struct Thought {
        let parser: String
        let text: String
        let isForced: Bool?
        let answer: ReasoningAnswer
    }

    let tools: [ToolDefinition]
    let calls: [Call]
    let thoughts: [Thought]

    init(_ path: String) throws {
        let json = try JSON.parse(Array(try Data(contentsOf: URL(fileURLWithPath: path))))
        tools = try #require(json["tools"]?.arrayValue).map {
            ToolDefinition(name: $0["name"]?.stringValue ?? "", parameters: $0["parameters"])
        }
        calls = try #require(json["calls"]?.objectValue).flatMap { parser, cases in
            (cases.arrayValue ?? []).compactMap { Self.call(parser, $0) }
        }
        thoughts = try #require(json["reasoning"]?.objectValue).flatMap { parser, cases in
            (cases.arrayValue ?? []).compactMap { Self.thought(parser, $0) }
        }
    }

    private static func call(_ parser: String, _ json: JSONValue) -> Call? {
        guard let text = json["text"]?.stringValue, let content = json["content"]?.stringValue else { return nil }
        let calls = (json["calls"]?.arrayValue ?? []).map {
            ToolCall(
                name: $0[1]?.stringValue ?? "", arguments: $0[2]?.stringValue ?? "", toolIndex: $0[0]?.intValue ?? -2)
        }
        return Call(parser: parser, text: text, answer: ToolCallAnswer(content: content, calls: calls))
    }

    private static func thought(_ parser: String, _ json: JSONValue) -> Thought? {
        guard let text = json["text"]?.stringValue, let content = json["content"]?.stringValue,
            let reasoning = json["reasoning"]?.stringValue
        else { return nil }
        return Thought(
            parser: parser, text: text, isForced: json["forced"]?.boolValue,
            answer: ReasoningAnswer(reasoning: reasoning, content: content))
    }

    /// The goldens of the repository.
    static func committed() throws -> Goldens {
        try Goldens(
            URL(fileURLWithPath: #filePath).deletingLastPathComponent().appending(path: "Goldens/goldens.json").path)
    }
}

extension ToolCallParser {
    /// What comes out when a text is fed in pieces, joined.
    func streamed(_ pieces: some Sequence<String>) -> ToolCallAnswer {
        var parser = self
        var answer = ToolCallAnswer(content: "")
        for event in pieces.flatMap({ parser.feed($0) }) + parser.finish() {
            switch event {
            case .content(let text): answer.content += text
            case .call(let index, let name):
                #expect(index == answer.calls.count)
                answer.calls.append(ToolCall(name: name, arguments: "", toolIndex: 0))
            case .arguments(let index, let text):
                #expect(index == answer.calls.count - 1)
                answer.calls[index].arguments += text
            }
        }
        return answer
    }
}

extension ReasoningParser {
    /// What comes out when a text is fed in pieces, joined.
    func streamed(_ pieces: some Sequence<String>) -> ReasoningAnswer {
        var parser = self
        var answer = ReasoningAnswer()
        for event in pieces.flatMap({ parser.feed($0) }) + parser.finish() {
            switch event {
            case .content(let text): answer.content += text
            case .reasoning(let text): answer.reasoning += text
            }
        }
        return answer
    }
}

extension String {
    /// The text cut at random places between its Unicode scalars.
    func pieces(_ random: inout some RandomNumberGenerator, meanLength: Int) -> [String] {
        var pieces = [""]
        for scalar in unicodeScalars {
            if Int.random(in: 0..<meanLength, using: &random) == 0 { pieces.append("") }
            pieces[pieces.count - 1].unicodeScalars.append(scalar)
        }
        return pieces
    }

    /// The text cut into its Unicode scalars.
    var scalars: [String] { unicodeScalars.map { String($0) } }

    /// The text in two pieces, cut at every place.
    var halves: [[String]] {
        unicodeScalars.indices.map { [String(unicodeScalars[..<$0]), String(unicodeScalars[$0...])] }
    }

    /// The text without space.
    var squeezed: String { String(String.UnicodeScalarView(unicodeScalars.filter { !$0.properties.isWhitespace })) }
}
