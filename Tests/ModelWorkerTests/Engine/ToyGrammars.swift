import Grammar
import Messages
import ModelWorker
import Tokenizers

extension Toy {
    /// The tokens of the toy tokenizer; the one that ends an answer is no text.
    static let vocabulary = Vocabulary(
        (0..<Int32(ToyModel.vocabularySize)).map { Vocabulary.Token(bytes: $0 == 20 ? [] : tokenizer.tokenBytes($0)) })

    /// Texts of which long parts must come, in places where a token ends within a character, and at the end.
    static let regexes = [
        "abc( def)?ghi[a-d]jklm", "(ab|cd){2}efgh é(k|l)mno", "[a-f]{2} ghij[a-t]*", "é{3}[a-c]ddd(e|f) ab",
        "h?gggggggg",
        "([a-k]lmno)*",
    ]

    /// What a request's text has to be.
    static func grammar(of sampling: SamplingParams) throws -> ServedGrammar? {
        guard case .regex(let regex)? = sampling.grammar else { return nil }
        return grammars[regex]
    }

    /// A compiled grammar, with or without tokens that are not asked of the model.
    static func grammar(_ source: GrammarSource, jumpsForward: Bool = true) throws -> ServedGrammar {
        let masks = TokenMasks(try Grammar(source), vocabulary)
        return ServedGrammar(masks, forced: jumpsForward ? ForcedTokens(masks, tokenizer) : nil)
    }

    private static let grammars: [String: ServedGrammar] = {
        do { return try Dictionary(uniqueKeysWithValues: regexes.map { ($0, try grammar(.regex($0))) }) } catch {
            fatalError("\(error)")
        }
    }()
}

// Grammars that requests wait for.
extension EngineHistory {
    /// A grammar is asked for.
    mutating func compile(_ source: GrammarSource) { compiling.append(source) }

    /// Some grammars are ready now.
    mutating func grammarsCome() throws {
        while !compiling.isEmpty, once(in: 2) {
            let source = compiling.removeFirst()
            let grammar = try Toy.grammar(of: Toy.sampling { $0.regex = source.text })
            engine.compiled(source, .success(grammar!))
        }
    }
}
