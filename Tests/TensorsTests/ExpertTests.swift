import Tensors
import Testing
import Values

/// Which experts rows take, and what these make of them.
@Suite struct ExpertTests {
    /// A layer of experts in memory, with every expert's matrices as products of their own.
    private struct Layer {
        let experts: PackedExperts
        let gateUp: [PackedMatrix]
        let down: [PackedMatrix]
        private let memory: [AlignedBuffer]

        init(
            count: Int, hidden: Int, size: Int, dtype: DType, format: WeightFormat, random: inout SplitMix64
        ) {
            func pack(_ outputs: Int, _ inputs: Int, _ kind: PackedMatrix.Kind) -> ([PackedMatrix], AlignedBuffer) {
                let bytes = PackedMatrix.byteCount(
                    outputs: outputs, inputs: inputs, dtype: dtype, kind: kind, format: format)
                guard let memory = AlignedBuffer(byteCount: max(64, count * bytes)) else { fatalError("no memory") }
                let matrices = (0..<count).map { expert in
                    let place = memory.pointer + expert * bytes
                    PackedMatrix.pack(
                        rows: random.floats(outputs * inputs), first: 0, count: outputs, outputs: outputs,
                        inputs: inputs, dtype: dtype, kind: kind, format: format, into: place)
                    return PackedMatrix(
                        data: place, outputs: outputs, inputs: inputs, dtype: dtype, kind: kind, format: format)
                }
                return (matrices, memory)
            }
            let first = pack(2 * size, hidden, .gateUp)
            let second = pack(hidden, size, .plain)
            (gateUp, down) = (first.0, second.0)
            memory = [first.1, second.1]
            experts = PackedExperts(gateUp: gateUp[0], down: down[0], count: count)
        }
    }

    /// A step's rows and the experts they take.
    private struct Rows {
        let count: Int
        let each: Int
        let x: TypedArray
        let chosen: [Int32]
        let weights: [Float]
        let before: [Float]

        init(_ count: Int, hidden: Int, experts: Int, each: Int, dtype: DType, random: inout SplitMix64) {
            self.count = count
            self.each = each
            x = TypedArray(random.floats(count * hidden), dtype)
            chosen = (0..<count).flatMap { _ in
                (0..<Int32(experts)).shuffled(using: &random).prefix(each)
            }
            weights = random.floats(count * each).map { $0.magnitude }
            before = random.floats(count * hidden)
        }

        /// What the experts make of rows `range`.
        func run(_ compute: Compute, _ layer: Layer, _ range: Range<Int>) -> [Float] {
            let hidden = layer.experts.gateUp.inputs
            let gated = TypedArray(zeros: count * each * layer.experts.down.inputs, x.dtype)
            var out = Array(before[range.lowerBound * hidden..<range.upperBound * hidden])
            chosen.withUnsafeBufferPointer { chosen in
                weights.withUnsafeBufferPointer { weights in
                    compute.mixExperts(
                        x.pointer + range.lowerBound * hidden * x.dtype.size, rows: range.count,
                        experts: layer.experts, chosen: chosen.baseAddress! + range.lowerBound * each,
                        weights: weights.baseAddress! + range.lowerBound * each, each: each, gated: gated.pointer,
                        addingTo: &out)
                }
            }
            return out
        }

        /// The same from single products of single rows, by ascending expert.
        func expected(_ compute: Compute, _ layer: Layer) -> [Float] {
            let hidden = layer.experts.gateUp.inputs
            var out = before
            let gated = TypedArray(zeros: layer.experts.down.inputs, x.dtype)
            var sums = [Float](repeating: 0, count: hidden)
            for row in 0..<count {
                let pairs = (0..<each).map { (Int(chosen[row * each + $0]), weights[row * each + $0]) }
                for (expert, weight) in pairs.sorted(by: { $0.0 < $1.0 }) {
                    compute.gateUp(
                        x.pointer + row * hidden * x.dtype.size, rows: 1, weights: layer.gateUp[expert],
                        into: gated.pointer)
                    compute.matmul(gated.pointer, rows: 1, weights: layer.down[expert], into: &sums)
                    for i in 0..<hidden { out[row * hidden + i] += weight * sums[i] }
                }
            }
            return out
        }
    }

    private static let formats: [WeightFormat] = [.plain, .int8, .int4(group: 32), .int4(group: 64)]

    @Test(arguments: KernelCase.all, formats)
    func theMixtureIsTheSumOfSingleProductsBitForBit(_ level: KernelCase, _ format: WeightFormat) {
        var random = SplitMix64(seed: 7)
        for (count, hidden, size) in [(5, 40, 24), (3, 64, 33), (16, 33, 70)] {
            let layer = Layer(
                count: count, hidden: hidden, size: size, dtype: level.dtype, format: format, random: &random)
            for (rows, each) in [(1, 2), (1, 3), (2, 1), (7, 2), (45, 3)] {
                let rows = Rows(
                    rows, hidden: hidden, experts: count, each: each, dtype: level.dtype, random: &random)
                let compute = Compute(isa: level.isa, threads: 2)
                let found = rows.run(compute, layer, 0..<rows.count)
                #expect(bits(found) == bits(rows.expected(compute, layer)), "\(rows.count) rows of \(hidden)")
            }
        }
    }

    @Test(arguments: presentLevels, formats)
    func aRowHasTheSameBitsInEveryCompany(_ isa: KernelISA, _ format: WeightFormat) {
        var random = SplitMix64(seed: 8)
        let (count, hidden, size) = (4, 96, 40)
        let layer = Layer(count: count, hidden: hidden, size: size, dtype: .bfloat16, format: format, random: &random)
        // More rows of an expert than one product takes.
        let rows = Rows(900, hidden: hidden, experts: count, each: 3, dtype: .bfloat16, random: &random)
        let whole = rows.run(Compute(isa: isa, threads: 3), layer, 0..<900)
        let alone = Compute(isa: isa, threads: 1)
        for range in [0..<1, 3..<10, 100..<400, 899..<900] {
            let part = rows.run(alone, layer, range)
            #expect(bits(part) == bits(whole[range.lowerBound * hidden..<range.upperBound * hidden]), "\(range)")
        }
    }

    @Test func rowsThatFillTheSharedMemoryGoInGroups() {
        var random = SplitMix64(seed: 9)
        let (count, hidden) = (2, 16_384)
        let layer = Layer(count: count, hidden: hidden, size: 8, dtype: .float32, format: .plain, random: &random)
        // 64 KiB a row: the two experts' rows are 40 MiB, more than products share.
        let rows = Rows(320, hidden: hidden, experts: count, each: 2, dtype: .float32, random: &random)
        let compute = Compute(threads: 2)
        let whole = rows.run(compute, layer, 0..<320)
        for row in [0, 150, 319] {
            let part = rows.run(compute, layer, row..<row + 1)
            #expect(bits(part) == bits(whole[row * hidden..<(row + 1) * hidden]), "row \(row)")
        }
    }

    // MARK: Choosing

    private func choose(
        _ scores: [Float], experts: Int, each: Int, normalizes: Bool = false
    ) -> (chosen: [Int32], weights: [Float]) {
        var scores = scores
        let rows = scores.count / experts
        var chosen = [Int32](repeating: -1, count: rows * each)
        var weights = [Float](repeating: .nan, count: rows * each)
        scalarCompute().chooseExperts(
            &scores, rows: rows, experts: experts, each: each, normalizes: normalizes, into: &chosen,
            weights: &weights)
        return (chosen, weights)
    }

    @Test func theBestExpertsAreChosenAndTiesGoToTheLowerIndex() {
        let found = choose([0.1, 0.3, 0.2, 0.3, 0.1, 0, 0, 0, 0, 0], experts: 5, each: 3)
        #expect(found.chosen == [1, 3, 2, 0, 1, 2])
        #expect(found.weights == [0.3, 0.3, 0.2, 0, 0, 0])
    }

    @Test func normalizedWeightsAddUpToOne() {
        let found = choose([0.5, 0.125, 0.125, 0.25], experts: 4, each: 2, normalizes: true)
        #expect(found.chosen == [0, 3])
        #expect(found.weights == [0.5 / 0.75, 0.25 / 0.75])
        #expect(choose([0.25, 0.75], experts: 2, each: 2).chosen == [1, 0])
    }

    @Test func aBiasDecidesTheChoiceAndHasNoPartInTheWeights() {
        var scores: [Float] = [0.5, 0.25, 0.125, 0.0625], chosen: [Int32] = [-1, -1], weights: [Float] = [0, 0]
        let bias: [Float] = [-3, -1, 0, -0.5]
        scalarCompute().chooseExperts(
            &scores, rows: 1, experts: 4, each: 2, bias: bias, normalizes: true, factor: 3, into: &chosen,
            weights: &weights)
        #expect(chosen == [2, 3])
        #expect(weights == [2, 1])
    }

    @Test func aRowWithoutNumbersTakesTheFirstExpertsAndStaysWithoutNumbers() {
        let nan = Float.nan
        let found = choose([nan, nan, nan, 0.2, 0.5, 0.3], experts: 3, each: 2, normalizes: true)
        #expect(found.chosen == [0, 1, 1, 2])
        #expect(found.weights[0].isNaN && found.weights[1].isNaN && !found.weights[2].isNaN)
    }

    @Test func everyNumberOfThreadsChoosesAlike() {
        var random = SplitMix64(seed: 10)
        let scores = random.floats(600 * 64).map { $0.magnitude }
        let expected = choose(scores, experts: 64, each: 8)
        for row in 0..<600 {
            let own = Array(scores[row * 64..<(row + 1) * 64])
            let order = (0..<64).sorted { (own[$0], $1) > (own[$1], $0) }
            #expect(Array(expected.chosen[row * 8..<(row + 1) * 8]) == order.prefix(8).map(Int32.init))
        }
        var copy = scores
        var chosen = [Int32](repeating: -1, count: 600 * 8)
        var weights = [Float](repeating: 0, count: 600 * 8)
        Compute(threads: 3).chooseExperts(
            &copy, rows: 600, experts: 64, each: 8, normalizes: false, into: &chosen, weights: &weights)
        #expect(chosen == expected.chosen && bits(weights) == bits(expected.weights))
    }
}
