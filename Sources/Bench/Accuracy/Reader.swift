import Glibc
package import Models
package import Tensors

/// What a model says of one position.
package struct Prediction: Equatable {
    /// The token it holds for the likeliest.
    package let best: Int32
    /// Minus the log of the probability that it gives to the token that does follow.
    package let surprise: Double

    /// States a prediction.
    package init(best: Int32, surprise: Double) {
        self.best = best
        self.surprise = surprise
    }
}

/// Reads texts with a model, one window at a time.
package final class Reader {
    /// Rows whose logits are computed at once.
    package let block: Int
    private let model: any LanguageModel
    private let compute: Compute
    private let logits: AlignedBuffer
    private let probabilities: AlignedBuffer
    private var normalizers: [LogNormalizer] = []

    /// Takes a model and reserves memory for its logits.
    package init(_ model: any LanguageModel, compute: Compute) throws {
        self.model = model
        self.compute = compute
        block = model.limits.logitRows
        logits = try .logits(rows: block, of: model)
        probabilities = try .logits(rows: block, of: model)
    }

    private var vocabulary: Int { model.config.vocabularySize }

    /// Computes all positions of a window.
    package func read(_ ids: [Int32]) { forward(ids, from: 0, logitRows: 0..<ids.count) }

    private func forward(_ ids: [Int32], from position: Int, logitRows: Range<Int>) {
        var input = ForwardInput()
        let length = position + ids.count
        input.tokens = ids
        input.positions = (position..<length).map { Int32($0) }
        input.writeSlots = input.positions
        input.slots = (0..<length).map { Int32($0) }
        input.sequences = [.init(rowStart: 0, rowCount: ids.count, slotStart: 0, length: length)]
        input.logitRows = logitRows.map { Int32($0) }
        model.forward(input)
    }

    /// What the model says at some positions of the window it has read, whose tokens are `next`.
    package func predictions(_ rows: Range<Int>, next ids: [Int32]) -> [Prediction] {
        let values = logits.bound(to: Float.self)
        model.logits(rows, into: values)
        var best = [Int32](repeating: 0, count: rows.count)
        normalizers = Array(repeating: LogNormalizer(), count: rows.count)
        compute.argmax(values, rows: rows.count, size: vocabulary, into: &best)
        compute.logNormalizers(values, rows: rows.count, size: vocabulary, into: &normalizers)
        return rows.enumerated().map { index, row in
            let follows = Int(ids[row + 1])
            return Prediction(
                best: best[index],
                surprise: -Double(normalizers[index].logProbability(of: values[index * vocabulary + follows])))
        }
    }

    /// The Kullback-Leibler divergence of another model's last predictions from this one's, by row, in nats.
    package func divergences(from other: Reader) -> [Double] {
        let mine = logits.bound(to: Float.self)
        let theirs = other.logits.bound(to: Float.self)
        let shares = probabilities.bound(to: Float.self)
        compute.softmax(mine, rows: normalizers.count, size: vocabulary, into: shares)
        return normalizers.indices.map { row in
            let start = row * vocabulary
            let difference = Self.weightedDifference(
                shares + start, mine + start, theirs + start, count: vocabulary)
            return max(0, difference - Double(normalizers[row].logSum - other.normalizers[row].logSum))
        }
    }

    /// The sum of `weight * (a - b)`.
    private static func weightedDifference(
        _ weight: UnsafePointer<Float>, _ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, count: Int
    ) -> Double {
        var sum = 0.0
        for start in stride(from: 0, to: count, by: 4096) {
            // Short float sums, which the compiler may keep in vectors, inside a double one.
            var lanes = SIMD8<Float>.zero
            let end = min(start + 4096, count)
            var i = start
            while i + 8 <= end {
                let weights = UnsafeRawPointer(weight + i).loadUnaligned(as: SIMD8<Float>.self)
                let left = UnsafeRawPointer(a + i).loadUnaligned(as: SIMD8<Float>.self)
                let right = UnsafeRawPointer(b + i).loadUnaligned(as: SIMD8<Float>.self)
                lanes += weights * (left - right)
                i += 8
            }
            sum += Double(lanes.sum())
            while i < end {
                sum += Double(weight[i] * (a[i] - b[i]))
                i += 1
            }
        }
        return sum
    }

    /// The tokens that follow a prompt when the likeliest is taken each time.
    package func continuation(of prompt: [Int32], tokens: Int) -> [Int32] {
        var ids: [Int32] = []
        var next = prompt
        var position = 0
        while ids.count < tokens {
            forward(next, from: position, logitRows: next.count - 1..<next.count)
            position += next.count
            model.logits(0..<1, into: logits.bound(to: Float.self))
            var best: Int32 = 0
            compute.argmax(logits.bound(to: Float.self), rows: 1, size: vocabulary, into: &best)
            ids.append(best)
            next = [best]
        }
        return ids
    }
}
