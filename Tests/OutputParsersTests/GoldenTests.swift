import Foundation
import OutputParsers
import Testing

@Suite struct GoldenTests {
    /// Differences that are meant, by parser and a part of the text, with the reason.
    private static let meant: [(parser: String, part: String)] = [
        // A tool that there is not is never called.
        ("gemma4", "call:nope"), ("kimi_k2", "functions.nope"), ("kimi_k3", "tool=\"nope\""),
        // What stands around an answer goes, whether there are calls or not.
        ("kimi_k3", "Hi.<|"), ("kimi_k3", "<|close|>message"),
        // A negative number is a literal.
        ("pythonic", "a=-7"),
        // A list ends at its own bracket, not at the last one of the text.
        ("pythonic", "] and ["),
        // A call that was cut off is none.
        ("cohere_command4", "\"b\":"),
    ]

    @Test func wholeAnswersAreReadAsTheReferenceReadsThem() throws {
        let goldens = try Self.goldens()
        for golden in goldens.calls
        where !Self.meant.contains(where: { $0.parser == golden.parser && golden.text.contains($0.part) }) {
            let parser = try ToolCallParser.named(golden.parser, tools: goldens.tools)
            #expect(parser.parse(golden.text) == golden.answer, "\(golden.parser): \(golden.text.debugDescription)")
        }
    }

    @Test func thinkingIsToldApartAsTheReferenceTellsIt() throws {
        let goldens = try Self.goldens()
        for golden in goldens.thoughts {
            let parser = try ReasoningParser.named(golden.parser, .init(isForced: golden.isForced))
            #expect(
                parser.parse(golden.text) == golden.answer,
                "\(golden.parser), forced \(golden.isForced as Any): \(golden.text.debugDescription)")
        }
    }

    /// The goldens of the repository, or those of a file that SRT_PARSER_GOLDENS names.
    static func goldens() throws -> Goldens {
        if let path = ProcessInfo.processInfo.environment["SRT_PARSER_GOLDENS"] { return try Goldens(path) }
        return try Goldens.committed()
    }
}
