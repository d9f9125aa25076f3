import Foundation
import Grammar
import JSON
import Testing
import Values

/// Sources that were damaged at random: each ends in an error or in a grammar. `SRT_FUZZ_GRAMMARS` says how many there are.
@Suite struct FuzzedSourceTests {
    private static let count = ProcessInfo.processInfo.environment["SRT_FUZZ_GRAMMARS"].flatMap { Int($0) } ?? 200
    private static let seeds: [GrammarSource] = [
        .regex(#"^(a|b{2,3})*[^x-z\d]+?\p{Lu}\u00e9$"#), .regex("(?:(?<n>ab)|c){,4}.*"),
        .ebnf("root ::= (a | \"x\"){1,3} b* # c\na ::= \"(\" root \")\" | [^a-z\\n]\nb ::= b \"+\" a | a"),
        .structuralTag(
            #"{"format":{"type":"triggered_tags","triggers":["<f"],"at_least_one":true,"tags":[{"type":"tag","begin":"<f>","content":{"type":"json_schema","json_schema":{"type":"integer"}},"end":"</f>"}]}}"#
        ),
        .structuralTag(#"{"structures":[{"begin":"<a>","schema":{"enum":[1,2]},"end":"</a>"}],"triggers":["<a"]}"#),
    ]
    private static let pieces = [
        "{", "}", "[", "]", "(", ")", "*", "+", "?", "|", "\"", "\\", "^", "$", "{9}", "{1,}", "0", "-1", "1e999",
        "true", ":", ",", "::=",
        "\"$ref\":\"#\",", "\"not\":{},", "\"items\":{\"$ref\":\"#\"},", "é", "\u{1F600}", "\n",
    ]

    private static func source(_ schemas: inout RandomSchemas, _ random: inout SplitMix64) -> GrammarSource {
        let choice = Int(random.next() % UInt64(seeds.count * 2))
        guard choice < seeds.count else { return .jsonSchema(JSON.encodeToString(schemas.schema())) }
        return seeds[choice]
    }

    private static func damaged(_ text: String, _ random: inout SplitMix64) -> String {
        var scalars = Array(text.unicodeScalars)
        for _ in 0..<Int(random.next() % 5) where !scalars.isEmpty {
            let place = Int(random.next() % UInt64(scalars.count))
            let length = min(Int(random.next() % 12), scalars.count - place)
            switch random.next() % 4 {
            case 0: scalars.removeSubrange(place..<place + length)
            case 1: scalars.insert(contentsOf: scalars[place..<place + length], at: place)
            default:
                scalars.insert(contentsOf: pieces[Int(random.next() % UInt64(pieces.count))].unicodeScalars, at: place)
            }
        }
        var text = String.UnicodeScalarView()
        text.append(contentsOf: scalars)
        return String(text)
    }

    private static func damaged(_ source: GrammarSource, _ random: inout SplitMix64) -> GrammarSource {
        let text = damaged(source.text, &random)
        return switch source {
        case .jsonSchema: .jsonSchema(text)
        case .regex: .regex(text)
        case .ebnf: .ebnf(text)
        case .structuralTag: .structuralTag(text)
        }
    }

    @Test func fuzzedSourcesEndInAnErrorOrInAGrammarThatEnds() throws {
        var random = SplitMix64(seed: 14)
        var schemas = RandomSchemas(seed: 14)
        var limits = GrammarLimits()
        limits.work = 1_000_000
        limits.states = 50_000
        limits.edges = 200_000
        var taken = 0
        for _ in 0..<Self.count {
            let source = Self.damaged(Self.source(&schemas, &random), &random)
            guard let grammar = try? Grammar(source, limits: limits) else { continue }
            taken += 1
            // From every state on the way some byte goes on, or the text may end.
            var state = grammar.start
            for _ in 0..<12 {
                let bytes = (0...255 as ClosedRange<UInt8>).filter { grammar.state(state, after: [$0]) != nil }
                #expect(!bytes.isEmpty || state.isComplete, "\(source)")
                guard !bytes.isEmpty else { break }
                state = try #require(grammar.state(state, after: [bytes[Int(random.next() % UInt64(bytes.count))]]))
            }
        }
        #expect(taken > Self.count / 10 && taken < Self.count)
    }
}
