package import Messages
package import Tokenizers
internal import Values

/// When a request is over, checked after each generated token in SGLang's order: not a number, stop string, stop pattern, stop id,
/// length.
package struct StopRules: Sendable {
    private let strings: [String]
    private let patterns: [(text: String, pattern: TextPattern)]
    private let stopIDs: Set<Int32>
    private let ignoresIDs: Bool
    private let maxNewTokens: Int
    private let vocabularySize: Int
    /// Ids whose text can hold the longest stop string: each has at least one byte, if it has text at all.
    private let window: Int

    /// Patterns may look back this many ids.
    private static let patternWindow = 128

    /// Rules of a request whose limit was cut to `maxNewTokens`. `endIDs` are the model's and the tokenizer's end ids.
    ///
    /// - Throws: When a pattern is no regular expression; the tokenizer manager has refused such requests before.
    package init(_ sampling: SamplingParams, maxNewTokens: Int, endIDs: [Int32], vocabularySize: Int) throws {
        strings = sampling.stop.filter { !$0.isEmpty }
        patterns = try sampling.stopRegex.map { ($0, try TextPattern($0)) }
        stopIDs = Set(sampling.stopTokenIds).union(endIDs)
        ignoresIDs = sampling.ignoreEos
        self.maxNewTokens = maxNewTokens
        self.vocabularySize = vocabularySize
        let longest = strings.map(\.utf8.count).max() ?? 0
        window = max(longest + 1, patterns.isEmpty ? 0 : Self.patternWindow)
    }

    /// Ids that end the request.
    package var ids: [Int32] { Array(stopIDs) }

    /// Why the request is over when `last` follows `output`; nil while it goes on.
    package func finish(_ output: ArraySlice<Int32>, _ last: Int32, tokenizer: Tokenizer?) -> FinishReason? {
        if last < 0 || last >= vocabularySize { return .make { $0.nan = true } }
        if let tokenizer, !strings.isEmpty || !patterns.isEmpty {
            let tail = tokenizer.decode(output.suffix(window - 1) + [last], skipSpecialTokens: false)
            let bytes = Array(tail.utf8)
            if let found = strings.first(where: { bytes.holds(bytes: Array($0.utf8)) }) {
                return .make { $0.stopString = found }
            }
            if let found = patterns.first(where: { $0.pattern.matches(tail) }) {
                return .make { $0.stopRegex = found.text }
            }
        }
        if !ignoresIDs, stopIDs.contains(last) { return .make { $0.stopToken = last } }
        if output.count + 1 >= maxNewTokens { return .make { $0.length = Int32(maxNewTokens) } }
        return nil
    }
}
