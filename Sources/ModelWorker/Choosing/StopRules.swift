package import Messages
package import Tokenizers
internal import Values

/// When a request is over, checked after each generated token in SGLang's order: not a number, stop string, stop pattern, stop id,
/// length.
package struct StopRules: Sendable {
    private let strings: [String]
    private let patterns: StopPatterns
    private let stopIDs: Set<Int32>
    private let ignoresIDs: Bool
    private let maxNewTokens: Int
    private let vocabularySize: Int
    /// Ids whose text can hold the longest stop string: each has at least one byte, if it has text at all.
    private let window: Int

    /// Rules of a request whose limit was cut to `maxNewTokens`. `endIDs` are the model's and the tokenizer's end ids.
    ///
    /// - Throws: When a pattern is no regular expression; the tokenizer manager has refused such requests before.
    package init(_ sampling: SamplingParams, maxNewTokens: Int, endIDs: [Int32], vocabularySize: Int) throws {
        strings = sampling.stop.filter { !$0.isEmpty }
        patterns = try StopPatterns(sampling.stopRegex)
        stopIDs = Set(sampling.stopTokenIds).union(endIDs)
        ignoresIDs = sampling.ignoreEos
        self.maxNewTokens = maxNewTokens
        self.vocabularySize = vocabularySize
        let longest = strings.map(\.utf8.count).max() ?? 0
        window = max(longest + 1, patterns.isEmpty ? 0 : StopPatterns.window)
    }

    /// Ids that end the request.
    package var ids: [Int32] { Array(stopIDs) }

    /// It searches for patterns.
    var hasPatterns: Bool { !patterns.isEmpty }

    /// What the search for patterns cost after the latest token, in steps; nil without patterns.
    package private(set) var patternCost: Int?

    /// Why the request is over when `last` follows `tokens`, of which the first `promptCount` are the prompt; nil while it goes on.
    package mutating func finish(
        _ tokens: [Int32], promptCount: Int, _ last: Int32, tokenizer: Tokenizer?
    ) -> FinishReason? {
        if last < 0 || last >= vocabularySize { return .make { $0.nan = true } }
        if let tokenizer, !strings.isEmpty || !patterns.isEmpty {
            let tail = tail(tokens, promptCount, last, tokenizer)
            let bytes = Array(tail.utf8)
            if let found = strings.first(where: { bytes.holds(bytes: Array($0.utf8)) }) {
                return .make { $0.stopString = found }
            }
            let (outcome, cost) = patterns.search(tail)
            if !patterns.isEmpty { patternCost = cost }
            switch outcome {
            case .match(let pattern): return .make { $0.stopRegex = pattern }
            case .limitExceeded(let pattern): return .refused(StopPatterns.complaint(pattern))
            case .none: break
            }
        }
        if !ignoresIDs, stopIDs.contains(last) { return .make { $0.stopToken = last } }
        if tokens.count - promptCount + 1 >= maxNewTokens { return .make { $0.length = Int32(maxNewTokens) } }
        return nil
    }

    /// The text of the last `window` ids of the output, as it reads behind what stands before them.
    private func tail(_ tokens: [Int32], _ promptCount: Int, _ last: Int32, _ tokenizer: Tokenizer) -> String {
        let start = max(promptCount, tokens.count - (window - 1))
        let context = tokenizer.context(tokens[..<start])
        return tokenizer.decode(tokens[start...] + [last], after: context, skipSpecialTokens: false)
    }
}
