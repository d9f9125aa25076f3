package import Messages
package import Tensors

/// Chooses the next token from a row of logits.
///
/// The order is SGLang's: greedy takes the largest logit; otherwise temperature and softmax, then top-k and top-p together on the same
/// sorted probabilities, then min-p, then one draw from what is left.
package struct Sampler {
    /// What was chosen and under which distribution its log probability is told.
    package struct Choice: Equatable {
        /// The token, or -1 when there is none.
        package var token: Int32
        /// Inverse temperature of the reported distribution; 1 for greedy.
        package var inverseTemperature: Float
        /// Why there is no token.
        package var flaw: Flaw?
    }

    /// Why a row gives no token.
    package enum Flaw: Equatable {
        /// It holds something that is not a number.
        case notANumber
        /// Every logit is minus infinity.
        case everythingForbidden
    }

    let compute: Compute
    private let size: Int
    private var probabilities: [Float]
    private var values: [Float]
    private var indices: [Int32]

    /// A sampler for rows of `vocabularySize` logits.
    package init(compute: Compute, vocabularySize: Int) {
        self.compute = compute
        size = vocabularySize
        probabilities = Array(repeating: 0, count: vocabularySize)
        values = Array(repeating: 0, count: vocabularySize)
        indices = Array(repeating: 0, count: vocabularySize)
    }

    /// Greedy decoding is asked for.
    package static func isGreedy(_ sampling: SamplingParams) -> Bool {
        sampling.topK == 1 || sampling.temperature < 1e-6
    }

    /// Chooses from penalised logits; `position` is the index of the token in the output.
    package mutating func choose(_ logits: UnsafePointer<Float>, _ sampling: SamplingParams, position: Int) -> Choice {
        var best: Int32 = -1
        compute.argmax(logits, rows: 1, size: size, into: &best)
        guard best >= 0 else {
            let allForbidden = UnsafeBufferPointer(start: logits, count: size).allSatisfy { $0 == -.infinity }
            return Choice(token: -1, inverseTemperature: 1, flaw: allForbidden ? .everythingForbidden : .notANumber)
        }
        if Self.isGreedy(sampling) { return Choice(token: best, inverseTemperature: 1) }
        // Never zero: what is forbidden must stay so at any temperature.
        let scale = max(1 / sampling.temperature, .leastNormalMagnitude)
        let draw = CounterRandom.uniform(seed: sampling.seed, position: position)
        probabilities.withUnsafeMutableBufferPointer { row in
            var scales = scale
            compute.softmax(logits, rows: 1, size: size, scales: &scales, into: row.baseAddress!)
        }
        let filtered = sampling.topK > 0 || sampling.topP < 1 || sampling.minP > 0
        let token = filtered ? drawFiltered(sampling, draw) : drawFromAll(draw)
        return Choice(token: token, inverseTemperature: scale, flaw: token < 0 ? .notANumber : nil)
    }

    /// Draws in id order from the whole distribution; -1 where it is none.
    private func drawFromAll(_ draw: Double) -> Int32 {
        var total = 0.0
        for value in probabilities { total += Double(value) }
        var rest = draw * total
        var last: Int32 = -1
        for (id, value) in probabilities.enumerated() where value > 0 {
            last = Int32(id)
            rest -= Double(value)
            if rest < 0 { break }
        }
        return last
    }

    /// Draws, best first, from what top-k, top-p and min-p leave; -1 where there is nothing.
    private mutating func drawFiltered(_ sampling: SamplingParams, _ draw: Double) -> Int32 {
        let most = sampling.topK > 0 ? min(Int(sampling.topK), size) : size
        var kept = 0
        var sum = 0.0
        // Most of the time the nucleus is small: sort a few, and more only when they were not enough.
        var sorted = min(most, 128)
        while true {
            let count = probabilities.withUnsafeBufferPointer {
                compute.topK($0.baseAddress!, size: size, count: sorted, values: &values, indices: &indices)
            }
            (kept, sum) = keep(count, sampling)
            if kept < count || sorted >= most { break }
            sorted = min(most, sorted * 8)
        }
        guard kept > 0, sum > 0 else { return -1 }
        var rest = draw * sum
        for index in 0..<kept {
            rest -= Double(values[index])
            if rest < 0 { return indices[index] }
        }
        return indices[kept - 1]
    }

    /// How many of the sorted probabilities stay, and their sum.
    private func keep(_ count: Int, _ sampling: SamplingParams) -> (kept: Int, sum: Double) {
        let least = Double(sampling.minP) * Double(values[0])
        var cumulative = 0.0
        for index in 0..<count {
            let value = Double(values[index])
            if index > 0, cumulative > Double(sampling.topP) || value < least { return (index, cumulative) }
            cumulative += value
        }
        return (count, cumulative)
    }
}
