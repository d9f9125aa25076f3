/// A vector with a number for each token of a text that has one, in ascending order of the tokens.
struct SparseVector: Equatable {
    let tokens: [Int32]
    let weights: [Float]

    /// The largest weight that each token has anywhere in a text; those in `silent`, and those of weight 0, are left out.
    init(_ text: some Sequence<Int32>, weights: some Sequence<Float>, without silent: [Int32]) {
        var largest: [Int32: Float] = [:]
        for (token, weight) in zip(text, weights) where !silent.contains(token) {
            largest[token] = max(largest[token] ?? 0, weight)
        }
        let kept = largest.filter { $0.value != 0 }.sorted { $0.key < $1.key }
        (tokens, self.weights) = (kept.map(\.key), kept.map(\.value))
    }
}
