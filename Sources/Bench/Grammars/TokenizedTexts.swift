import Grammar
import JSON
import Synchronization
import Tokenizers
import Values

/// Follows texts through grammars by the tokens of a model, and times the masks.
final class TokenizedTexts: Sendable {
    let vocabulary: Vocabulary
    private let tokenizer: Tokenizer
    private let buildSeconds: Double
    /// Microseconds that masks took: those that were asked for first, and again.
    private let times = Mutex<(cold: [Double], warm: [Double])>(([], []))

    init(_ tokenizer: Tokenizer) {
        self.tokenizer = tokenizer
        let tokens = (0..<Int32(tokenizer.vocabularySize)).map { id in
            let isEnd = tokenizer.eosIDs.contains(id)
            return Vocabulary.Token(bytes: isEnd ? [] : tokenizer.tokenBytes(id), isSpecial: tokenizer.isSpecial(id))
        }
        let began = ContinuousClock.now
        vocabulary = Vocabulary(tokens)
        buildSeconds = (ContinuousClock.now - began) / .seconds(1)
    }

    /// Whether a text is taken in each of three tokenizations: the tokenizer's, and two of random tokens. Each token has to be in the mask
    /// where it comes, and the state behind the last has to be complete.
    func takes(_ text: String, _ masks: TokenMasks) -> Bool {
        var random = SplitMix64(seed: UInt64(text.utf8.count))
        let ways = [tokenizer.encode(text, addSpecialTokens: false)] + (0..<2).map { _ in pieces(Array(text.utf8), &random) }
        return ways.allSatisfy { isTaken($0, text, masks) }
    }

    private func isTaken(_ ids: [Int32], _ text: String, _ masks: TokenMasks) -> Bool {
        // A tokenizer that normalizes, or begins with a space, spells another text.
        guard ids.flatMap({ Array(vocabulary.bytes(of: $0)) }) == Array(text.utf8) else { return masks.grammar.takes(text) }
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

    /// A text cut into random tokens that spell it; as far as there are such.
    private func pieces(_ text: [UInt8], _ random: inout SplitMix64) -> [Int32] {
        var ids: [Int32] = []
        var place = 0
        while place < text.count {
            let fits = Array((1...12).prefix { place + $0 <= text.count })
            let choices = fits.compactMap { vocabulary.id(of: text[place..<place + $0]) }
            guard !choices.isEmpty else { return [] }
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
                return sorted.isEmpty ? .null : .double((sorted[Int(Double(sorted.count - 1) * share)] * 10).rounded() / 10)
            }
            return [
                "vocabulary": .int(Int64(vocabulary.size)), "vocabulary_ms": .double((buildSeconds * 1e5).rounded() / 100),
                "masks": .int(Int64(times.cold.count)),
                "cold_us": ["p50": quantile(times.cold, 0.5), "p99": quantile(times.cold, 0.99)],
                "warm_us": ["p50": quantile(times.warm, 0.5), "p99": quantile(times.warm, 0.99)],
            ]
        }
    }
}
