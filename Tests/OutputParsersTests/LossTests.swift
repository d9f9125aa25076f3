import OutputParsers
import Testing
import Values

/// Texts put together at random from the markers of a family, pieces of them, and words: none of the words is lost.
@Suite struct LossTests {
    /// Words that stand in no marker.
    private static let words = ["lamp", " 水位 ", "ü🦙", "e\u{301}", "\n", " ", "x < y", "a|b", "[1]", "94 steps. "]

    /// Text made of words, markers, and markers that were cut off.
    private static func text(_ markers: [String], _ random: inout SplitMix64) -> String {
        (0..<Int.random(in: 1...16, using: &random)).map { _ -> String in
            let marker = (markers.randomElement(using: &random) ?? "").unicodeScalars
            switch Int.random(in: 0..<8, using: &random) {
            case 0...2: return String(marker)
            case 3: return String(marker.prefix(Int.random(in: 0...marker.count, using: &random)))
            case 4: return String(marker.dropFirst(Int.random(in: 0...marker.count, using: &random)))
            default: return words.randomElement(using: &random) ?? ""
            }
        }.joined()
    }

    // MARK: Thinking

    /// What a family takes out of an answer; `<think>` and its end where a name is not here.
    private static let taken: [String: [String]] = [
        "apertus2509": ["<|inner_prefix|>", "<|inner_suffix|>"],
        "gemma4": ["<|channel>thought\n", "<channel|>"],
        "granite_thinking_parser": ["<think>", "</think>", "\n"],
        "k2_horizon": ["<ifm|think>", "</ifm|think>"],
        "kimi": ["◁think▷", "◁/think▷"],
        "minimax-m3": ["<mm:think>", "</mm:think>", " ", "\n"],
        "mistral": ["[THINK]", "[/THINK]"],
    ]
    /// Families that take out more than markers: channels with their headers, what stands between two parts, and thinking that
    /// turns out to be the answer, which is told again.
    private static let channelled: Set = ["cohere_command4", "gpt-oss", "kimi_k3"]
    /// The parts of answers of those that are well formed.
    private static let channels: [String: (opening: String, between: String, end: String)] = [
        "cohere_command4": ("<|START_THINKING|>", "<|END_THINKING|><|START_TEXT|>", "<|END_TEXT|>"),
        "gpt-oss": (
            "<|channel|>analysis<|message|>", "<|end|><|start|>assistant<|channel|>final<|message|>", "<|return|>"
        ),
        "kimi_k3": (
            "<|open|>think<|sep|>", "<|close|>think<|sep|><|open|>response<|sep|>",
            "<|close|>response<|sep|><|close|>message<|sep|>"
        ),
    ]

    /// What comes out, in its order, is the text without some of the markers, each of them whole.
    @Test(arguments: ReasoningParser.names.filter { !channelled.contains($0) })
    func thinkingAndContentAreTheTextWithoutItsMarkers(_ name: String) throws {
        let taken = Self.taken[name] ?? ["<think>", "</think>"]
        let others = ["<tool_call>", "<|tool_calls_section_begin|>", "<|tools_prefix|>[", "<|tools_suffix|>"]
        // Thoughts that are held until they end come behind the calls inside of them.
        let holds = name == "apertus2509"
        for seed in 0..<120 {
            var random = SplitMix64(seed: UInt64(seed))
            let text = Self.text(taken + taken + others, &random)
            let options = ReasoningOptions(isForced: [nil, true, false][seed % 3], streams: seed % 4 > 0 || holds)
            let parser = try ReasoningParser.named(name, options)
            let opening = name == "minimax-append-think" ? "<think>" : ""
            for pieces in [text.pieces(&random, meanLength: 4), text.scalars, [text]] {
                let joined = parser.inOrder(pieces)
                #expect((opening + text).isLeft(as: joined, without: taken), "seed \(seed): \(pieces) gave \(joined)")
            }
            // A whole answer has the thinking first, wherever it stood.
            let whole = parser.parse(text)
            let characters = whole.reasoning + whole.content
            #expect(
                characters.counts.isPart(of: (opening + text).counts),
                "seed \(seed): \(text.debugDescription) gave \(characters)")
            let lost = (opening + text).withoutAll(taken).counts
            #expect(
                lost.isPart(of: characters.counts), "seed \(seed): \(text.debugDescription) gave \(characters)")
        }
    }

    /// Words with pieces of markers among them, in each part of an answer.
    @Test(arguments: channels.keys.sorted()) func eachPartOfAnAnswerKeepsItsWords(_ name: String) throws {
        let channel = try #require(Self.channels[name])
        let parser = try ReasoningParser.named(name)
        for seed in 0..<120 {
            var random = SplitMix64(seed: UInt64(seed))
            let parts = (0..<2).map { _ in
                // A piece never makes a marker together with what follows: a letter stands between.
                (0..<Int.random(in: 1...8, using: &random)).map { _ in
                    let piece = [channel.opening, channel.between, channel.end].randomElement(using: &random) ?? ""
                    let length = Int.random(in: 0..<6, using: &random)
                    return String(piece.unicodeScalars.prefix(length)) + "x"
                        + (Self.words.randomElement(using: &random) ?? "") + "x"
                }.joined()
            }
            let text = channel.opening + parts[0] + channel.between + parts[1] + channel.end
            let expected = ReasoningAnswer(reasoning: parts[0], content: parts[1])
            #expect(parser.parse(text) == expected, "seed \(seed)")
            let pieces = text.pieces(&random, meanLength: 4)
            #expect(parser.streamed(pieces) == expected, "seed \(seed): \(pieces)")
        }
    }

    // MARK: Calls

    /// By what a family's calls begin; without one of these a text is a text.
    private static let openings: [String: [String]] = [
        "apertus2509": ["<|tools_prefix|>["], "cohere_command4": ["<|START_ACTION|>"],
        "deepseekv3": ["<｜tool▁calls▁begin｜>"], "deepseekv31": ["<｜tool▁calls▁begin｜>"],
        "deepseekv32": ["<｜DSML｜function_calls>"], "dots": ["<dots_function_call>"], "gemma4": ["<|tool_call>"],
        "gigachat35": ["<｜GCML｜tool_calls>", "<|message_sep|>", "</s>"], "glm45": ["<tool_call>"],
        "glm47": ["<tool_call>"],
        "gpt-oss": ["<|channel|>", "<|start|>", "<|message|>", "<|constrain|>", "<|end|>", "<|call|>", "<|return|>"],
        "hermes": ["<tool_call>"], "hunyuan": ["<tool_calls>"],
        "interns1": ["<|action_start|> <|plugin|>"], "iquest_q1": ["<iquest_tool_call>"],
        "kimi_k2": ["<|tool_calls_section_begin|>"],
        "kimi_k3": ["<|open|>", "<|close|>"], "lfm2": ["<|tool_call_start|>"], "ling3": ["<tool_call>"],
        "llama3": ["<|python_tag|>", "{"], "mimo": ["<tool_call>"], "minicpm5": ["<function"],
        "minimax-m2": ["<minimax:tool_call>"], "mistral": ["[TOOL_CALLS"], "poolside_v1": ["<tool_call>"],
        "pythonic": ["[", "<|python_start|>", "<|python_end|>"], "qwen": ["<tool_call>\n", "</tool_call>"],
        "qwen3_coder": ["<tool_call>", "<function="], "step3": ["<｜tool_calls_begin｜>"],
        "trinity": ["<tool_call>\n", "</tool_call>", "<think>", "</think>"],
    ]

    /// Answers of the goldens, with something cut out, said twice or put in.
    private static func mutation(_ texts: [String], _ random: inout SplitMix64) -> String {
        var scalars = Array((texts.randomElement(using: &random) ?? "").unicodeScalars)
        for _ in 0..<Int.random(in: 0...3, using: &random) {
            let places = (0..<2).map { _ in Int.random(in: 0...scalars.count, using: &random) }.sorted()
            let other = Array((texts.randomElement(using: &random) ?? "").unicodeScalars)
            switch Int.random(in: 0..<3, using: &random) {
            case 0: scalars.removeSubrange(places[0]..<min(places[1], places[0] + 12))
            case 1: scalars.insert(contentsOf: scalars[places[0]..<places[1]], at: places[1])
            default: scalars.insert(contentsOf: other.prefix(Int.random(in: 0...40, using: &random)), at: places[0])
            }
        }
        return String(String.UnicodeScalarView(scalars.prefix(400)))
    }

    @Test(arguments: openings.keys.sorted()) func brokenAnswersLoseNoText(_ name: String) throws {
        let goldens = try GoldenTests.goldens()
        let texts = goldens.calls.filter { $0.parser == name }.map(\.text)
        try #require(!texts.isEmpty)
        let parser = try ToolCallParser.named(name, tools: goldens.tools)
        let openings = try #require(Self.openings[name])
        for seed in 0..<120 {
            var random = SplitMix64(seed: UInt64(seed))
            let text = Self.mutation(texts, &random)
            let stream = parser.streamed([text])
            let (pieces, comment) = (
                text.pieces(&random, meanLength: 5), Comment("seed \(seed): \(text.debugDescription)")
            )
            #expect(parser.streamed(pieces) == stream, comment)
            #expect(parser.streamed(text.scalars) == stream, comment)
            let whole = parser.parse(text)
            // Nothing is said that is not in the answer, and in its order.
            #expect(text.hasInOrder(stream.content) && text.hasInOrder(whole.content.squeezed), comment)
            // What stands in front of the first call comes through whole.
            let first = openings.compactMap { text.firstRange(of: $0)?.lowerBound }.min() ?? text.endIndex
            let before = String(text[..<first])
            if first == text.endIndex {
                #expect(stream == ToolCallAnswer(content: text) && whole.content.squeezed == text.squeezed, comment)
            } else {
                #expect(stream.content.squeezed.hasPrefix(before.squeezed), comment)
                #expect(whole.content.squeezed.hasPrefix(before.squeezed), comment)
            }
            // Qwen3-Coder's calls are not held against the tools.
            for call in stream.calls + whole.calls where name != "qwen3_coder" {
                #expect(goldens.tools.contains { $0.name == call.name }, comment)
            }
        }
    }
}

extension String {
    /// Whether all characters of another text stand in this one in the same order.
    fileprivate func hasInOrder(_ other: String) -> Bool {
        var rest = other.unicodeScalars[...]
        for scalar in unicodeScalars where scalar == rest.first { rest.removeFirst() }
        return rest.isEmpty
    }

    /// Where a text stands for the first time, by its Unicode scalars.
    fileprivate func firstRange(of part: String) -> Range<String.Index>? {
        unicodeScalars.firstRange(of: part.unicodeScalars)
    }
}

extension ReasoningParser {
    /// What comes out of a text that is fed in pieces, in the order in which it comes.
    fileprivate func inOrder(_ pieces: [String]) -> String {
        var parser = self
        return (pieces.flatMap { parser.feed($0) } + parser.finish()).map { event in
            switch event {
            case .content(let text), .reasoning(let text): text
            }
        }.joined()
    }
}

extension String {
    /// Whether a text is this one with some of the markers taken out, each as a whole.
    func isLeft(as result: String, without markers: [String]) -> Bool {
        let (whole, left) = (Array(utf8), Array(result.utf8))
        let markers = markers.map { Array($0.utf8) }
        // Places of the result that may have been reached when so much of the text is read.
        var reached = [Set<Int>](repeating: [], count: whole.count + 1)
        reached[0] = [0]
        for place in whole.indices where !reached[place].isEmpty {
            for marker in markers where whole[place...].starts(with: marker) {
                reached[place + marker.count].formUnion(reached[place])
            }
            for result in reached[place] where result < left.count && left[result] == whole[place] {
                reached[place + 1].insert(result + 1)
            }
        }
        return reached[whole.count].contains(left.count)
    }

    /// The text without any of the markers, nor those that come about when others go.
    func withoutAll(_ markers: [String]) -> String {
        let bare = markers.reduce(self) { $0.replacing($1, with: "") }
        return bare.utf8.count == utf8.count ? self : bare.withoutAll(markers)
    }

    /// How often each character stands in the text.
    var counts: [Unicode.Scalar: Int] { unicodeScalars.reduce(into: [:]) { $0[$1, default: 0] += 1 } }
}

extension [Unicode.Scalar: Int] {
    /// Whether another has all of these, and as often.
    func isPart(of other: Self) -> Bool { allSatisfy { $0.value <= other[$0.key] ?? 0 } }
}
