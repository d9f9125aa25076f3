import ArgumentParser
import Glibc
import Grammar
import JSON
import TokenizerSource
import Tokenizers
import Values

/// `srt bench grammar`: what becomes of grammars, and what they cost.
///
/// Reads a line of JSON from the standard input for each grammar: its source under `json_schema`, `regex`, `ebnf` or `structural_tag`, and texts under `texts`.
/// Writes a line for each: why it was refused, or its states, the milliseconds of its compilation, and which texts it takes. With a
/// model the texts are followed token by token as well, in each of several tokenizations, and the masks on the way are timed.
struct GrammarCommand: ParsableCommand {
    /// Name and help.
    static let configuration = CommandConfiguration(
        commandName: "grammar", abstract: "Say what becomes of JSON Schemas and other grammars, and measure it.")

    @Option(help: "folder or file of a tokenizer, whose tokens the texts are followed by")
    var model: String?

    /// Does it.
    mutating func run() throws {
        let tokens = try model.map { try TokenizedTexts(openTokenizer(path: $0)) }
        while let line = readLine() {
            if line.isEmpty { continue }
            print(JSON.encodeToString(.object(try Self.report(line, tokens))))
        }
        if let tokens { print(JSON.encodeToString(.object(tokens.summary))) }
    }

    private static func report(_ line: String, _ tokens: TokenizedTexts?) throws -> JSONObject {
        let order = try JSON.parse(Array(line.utf8), maximumDepth: 1_000, dialect: .python)
        guard let source = source(order) else {
            throw BenchFailure("a line has none of json_schema, regex, ebnf and structural_tag")
        }
        let began = monotonicSeconds()
        let grammar: Grammar
        do throws(GrammarError) { grammar = try Grammar(source) } catch { return ["refused": .string("\(error)")] }
        let took = monotonicSeconds() - began
        var report: JSONObject = [
            "states": .int(Int64(grammar.stateCount)), "milliseconds": .double((took * 1e5).rounded() / 100),
        ]
        let texts = order["texts"]?.arrayValue?.compactMap(\.stringValue) ?? []
        report["takes"] = .array(texts.map { .bool(grammar.takes($0)) })
        if let tokens {
            let masks = TokenMasks(grammar, tokens.vocabulary)
            report["takes_tokens"] = .array(
                texts.map { .array(tokens.verdicts($0, masks).map { .bool($0) }) })
        }
        return report
    }

    private static func source(_ order: JSONValue) -> GrammarSource? {
        func text(_ key: String) -> String? {
            order[key].map { $0.stringValue ?? JSON.encodeToString($0) }
        }
        if let schema = text("json_schema") { return .jsonSchema(schema) }
        if let regex = text("regex") { return .regex(regex) }
        if let rules = text("ebnf") { return .ebnf(rules) }
        return text("structural_tag").map { .structuralTag($0) }
    }

    private static func monotonicSeconds() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
    }
}
