package import Grammar
import JSON
import Synchronization
package import Tokenizers
import Values

/// Follows texts through grammars by the tokens of a model, and times the masks.
package final class TokenizedTexts: Sendable {
    /// The tokens.
    package let vocabulary: Vocabulary
    private let tokenizer: Tokenizer
    private let buildSeconds: Double
    /// Microseconds that masks took: those that were asked for first, and again.
    private let times = Mutex<(cold: [Double], warm: [Double])>(([], []))

    /// For the tokens of a tokenizer.
    package init(_ tokenizer: Tokenizer) {
        self.tokenizer = tokenizer
        let tokens = (0..<Int32(tokenizer.vocabularySize)).map { id in
            let isEnd = tokenizer.eosIDs.contains(id)
            return Vocabulary.Token(bytes: isEnd ? [] : tokenizer.tokenBytes(id), isSpecial: tokenizer.isSpecial(id))
        }
        let began = ContinuousClock.now
        vocabulary = Vocabulary(tokens)
        buildSeconds = (ContinuousClock.now - began) / .seconds(1)
    }

    /// Whether a text is taken, in each tokenization that spells it: the tokenizer's, byte by byte, and some of random tokens. Each token
    /// has to be in the mask where it comes, and the state behind the last has to be complete.
    package func verdicts(_ text: String, _ masks: TokenMasks, seeds: Range<UInt64> = 0..<4) -> [Bool] {
        tokenizations(of: text, seeds: seeds).map { isTaken($0, masks) }
    }

    /// The ids of a text in several ways, each once.
    package func tokenizations(of text: String, seeds: Range<UInt64>) -> [[Int32]] {
        let bytes = Array(text.utf8)
        var ways: [[Int32]] = []
        func add(_ ids: [Int32]) { if !ways.contains(ids) { ways.append(ids) } }
        // A tokenizer that normalizes, or begins with a space, spells another text.
        let usual = tokenizer.encode(text, addSpecialTokens: false)
        if usual.flatMap({ vocabulary.bytes(of: $0) }) == bytes { add(usual) }
        let single = bytes.compactMap { vocabulary.id(of: [$0]) }
        if single.count == bytes.count { add(single) }
        for seed in seeds {
            var random = SplitMix64(seed: seed &* 0x1_0000 &+ UInt64(bytes.count))
            if let ids = pieces(bytes, &random) { add(ids) }
        }
        return ways
    }

    private func isTaken(_ ids: [Int32], _ masks: TokenMasks) -> Bool {
        var state = masks.grammar.start
        for id in ids {
            let cold = time { _ = masks.mask(of: state) }
            let warm = time { _ = masks.mask(of: state) }
            times.withLock {
                $0.cold.append(cold)
                $0.warm.append(warm)
            }
            let mask = masks.mask(of: state)
            guard mask[Int(id) >> 6] >> UInt64(id & 63) & 1 == 1,
                let next = masks.grammar.state(state, after: id, of: vocabulary)
            else { return false }
            state = next
        }
        return state.isComplete
    }

    private func time(_ body: () -> Void) -> Double {
        let began = ContinuousClock.now
        body()
        return (ContinuousClock.now - began) / .microseconds(1)
    }

    /// A text cut into random tokens that spell it; nil where none begins.
    private func pieces(_ text: [UInt8], _ random: inout SplitMix64) -> [Int32]? {
        var ids: [Int32] = []
        var place = 0
        while place < text.count {
            let fits = Array((1...12).prefix { place + $0 <= text.count })
            let choices = fits.compactMap { vocabulary.id(of: text[place..<place + $0]) }
            guard !choices.isEmpty else { return nil }
            let id = choices[Int(random.next() % UInt64(choices.count))]
            ids.append(id)
            place += vocabulary.bytes(of: id).count
        }
        return ids
    }

    /// What masks cost.
    var summary: JSONObject {
        times.withLock { times in
            func quantile(_ list: [Double], _ share: Double) -> JSONValue {
                let sorted = list.sorted()
                return sorted.isEmpty
                    ? .null : .double((sorted[Int(Double(sorted.count - 1) * share)] * 10).rounded() / 10)
            }
            return [
                "vocabulary": .int(Int64(vocabulary.size)),
                "vocabulary_ms": .double((buildSeconds * 1e5).rounded() / 100),
                "masks": .int(Int64(times.cold.count)),
                "cold_us": ["p50": quantile(times.cold, 0.5), "p99": quantile(times.cold, 0.99)],
                "warm_us": ["p50": quantile(times.warm, 0.5), "p99": quantile(times.warm, 0.99)],
            ]
        }
    }
}
