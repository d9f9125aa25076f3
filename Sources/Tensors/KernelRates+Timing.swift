internal import Glibc
package import Values

/// A product of one kind, small enough for the second-level cache, that can be timed on any rung.
private struct TimedProduct {
    let kind: ProductKind
    private let weights: PackedMatrix
    private let memory: AlignedBuffer
    private let rows: AlignedBuffer
    private let sums: AlignedBuffer
    /// More rows than any rung computes with one tile, as in prefill, where arithmetic is the limit.
    private static let shape = (rows: 64, outputs: 128, inputs: 512)

    /// Operations of one run.
    static let operations = Double(2 * shape.rows * shape.outputs * shape.inputs)

    /// Packs weights of all ones; nil when there is no memory.
    init?(_ kind: ProductKind) {
        let (rowCount, outputs, inputs) = Self.shape
        let dtype: DType =
            switch kind {
            case .float32: .float32
            case .float16: .float16
            case .bfloat16, .int8: .bfloat16
            }
        let format: WeightFormat = kind == .int8 ? .int8 : .plain
        let byteCount = PackedMatrix.byteCount(outputs: outputs, inputs: inputs, dtype: dtype, format: format)
        guard let memory = AlignedBuffer(byteCount: byteCount),
            let rows = AlignedBuffer(byteCount: rowCount * inputs * dtype.size),
            let sums = AlignedBuffer(byteCount: rowCount * outputs * MemoryLayout<Float>.size)
        else { return nil }
        let ones = [Float](repeating: 1, count: outputs * inputs)
        PackedMatrix.pack(
            rows: ones, first: 0, count: outputs, outputs: outputs, inputs: inputs, dtype: dtype, format: format,
            into: memory.pointer)
        weights = PackedMatrix(
            data: memory.pointer, outputs: outputs, inputs: inputs, dtype: dtype, format: format)
        (self.kind, self.memory, self.rows, self.sums) = (kind, memory, rows, sums)
    }

    /// Seconds of this thread's processor time that one run takes.
    func seconds(_ compute: Compute) -> Double {
        let start = threadSeconds()
        compute.matmul(rows.pointer, rows: Self.shape.rows, weights: weights, into: sums.bound(to: Float.self))
        return threadSeconds() - start
    }

    private func threadSeconds() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
    }
}

extension ProductKind {
    /// The products of a model that computes in `dtype`, with quantized weights or not.
    package init(_ dtype: DType, isQuantized: Bool) {
        self =
            switch dtype {
            case _ where isQuantized: .int8
            case .float32: .float32
            case .float16: .float16
            case .bfloat16: .bfloat16
            }
    }
}

extension KernelRates {
    /// The rungs of this machine that are worth timing: all above plain C.
    package static var rungs: [KernelISA] {
        let highest = KernelISA.detect()
        return KernelISA.allCases.filter { $0 > .scalar && $0 <= highest }
    }

    /// Seconds that are spent on timing, about; a few rounds are run however long they take.
    private static let budget = 0.03
    private static let fewestRounds = 3

    /// Times a product of each kind on each rung, one thread, the best of some rounds; nil when there is no memory.
    ///
    /// Rungs take turns, so that what disturbs the machine disturbs all.
    ///
    /// - Parameter slowdown: How many runs count as one on a rung; for tests, which slow a rung down.
    package static func measured(
        _ levels: [KernelISA] = rungs, slowdown: (ProductKind, KernelISA) -> Int = { _, _ in 1 }
    ) -> KernelRates? {
        let products = ProductKind.allCases.compactMap(TimedProduct.init)
        guard products.count == ProductKind.allCases.count else { return nil }
        let computes = levels.map { Compute(isa: $0, threads: 1) }
        var best = [[Double]](
            repeating: [Double](repeating: .infinity, count: levels.count), count: products.count)
        let start = ContinuousClock.now
        var rounds = 0
        while rounds < fewestRounds || ContinuousClock.now - start < .seconds(budget) {
            for (row, product) in products.enumerated() {
                for (column, compute) in computes.enumerated() {
                    let runs = slowdown(product.kind, levels[column])
                    let seconds = (0..<runs).reduce(0) { sum, _ in sum + product.seconds(compute) }
                    best[row][column] = min(best[row][column], seconds)
                }
            }
            rounds += 1
        }
        return KernelRates(
            products.enumerated().flatMap { row, product in
                levels.enumerated().map { column, level in
                    Figure(kind: product.kind, level: level, rate: TimedProduct.operations / best[row][column] / 1e9)
                }
            })
    }
}
