import Glibc
import Tensors
import Testing
import Values

/// What encoders need beside products and attention.
@Suite struct EncoderOperationTests {
    static let lengths = [1, 7, 8, 9, 15, 16, 17, 31, 33, 100, 577]

    /// How far a rounded number may be from an exact one.
    private func unit(_ dtype: DType) -> Float { dtype == .float32 ? 3e-6 : dtype == .float16 ? 5e-4 : 4e-3 }

    @Test(arguments: KernelCase.all) func layerNormMatchesItsDefinition(kernel: KernelCase) {
        var random = SplitMix64(seed: 20)
        let compute = Compute(isa: kernel.isa, threads: 2)
        for size in Self.lengths {
            let rows = 40
            var x = random.floats(rows * size, scale: 3).map { $0 + 1 }
            let weight = random.floats(size), bias = random.floats(size)
            let expected = (0..<rows).flatMap { row in
                let values = x[row * size..<(row + 1) * size].map(Double.init)
                let mean = values.reduce(0, +) / Double(size)
                let variance = values.map { ($0 - mean) * ($0 - mean) }.reduce(0, +) / Double(size)
                let scale = 1 / (variance + Double(Float(1e-5))).squareRoot()
                return values.indices.map { (values[$0] - mean) * scale * Double(weight[$0]) + Double(bias[$0]) }
            }
            let out = TypedArray(zeros: rows * size, kernel.dtype)
            x.withUnsafeMutableBufferPointer { x in
                compute.layerNorm(
                    x.baseAddress!, rows: rows, size: size, weight: weight, bias: bias, epsilon: 1e-5,
                    dtype: kernel.dtype, into: out.pointer, keepingIn: x.baseAddress!)
            }
            // With one number the mean is the number, and nothing but the bias is left.
            let near = zip(x, expected).allSatisfy { abs(Double($0) - $1) <= 1e-5 }
            #expect(near, "size \(size)")
            #expect(out.bytes == TypedArray(x, kernel.dtype).bytes, "the rounded copy is what was kept")
        }
    }

    @Test(arguments: KernelCase.all) func layerNormWithoutBiasOfARowAloneHasTheSameBits(kernel: KernelCase) {
        var random = SplitMix64(seed: 21)
        let size = 93, rows = 400
        let x = random.floats(rows * size), weight = random.floats(size)
        func run(_ x: [Float], threads: Int) -> TypedArray {
            let out = TypedArray(zeros: x.count, kernel.dtype)
            Compute(isa: kernel.isa, threads: threads).layerNorm(
                x, rows: x.count / size, size: size, weight: weight, bias: nil, epsilon: 1e-12, dtype: kernel.dtype,
                into: out.pointer)
            return out
        }
        let together = run(x, threads: 3).bytes, bytes = size * kernel.dtype.size
        for row in stride(from: 0, to: rows, by: 37) {
            let alone = run(Array(x[row * size..<(row + 1) * size]), threads: 1).bytes
            #expect(alone == Array(together[row * bytes..<(row + 1) * bytes]))
        }
    }

    private func exact(_ function: MLPFunction, _ x: Double) -> Double {
        switch function {
        case .silu: x / (1 + exp(-x))
        case .gelu: 0.5 * x * (1 + erf(x * 0.5.squareRoot()))
        case .geluTanh: 0.5 * x * (1 + tanh((2 / Double.pi).squareRoot() * (x + 0.044715 * x * x * x)))
        case .relu: max(x, 0)
        }
    }

    @Test(arguments: KernelCase.all, MLPFunction.allCases)
    func productsGoThroughTheFunction(kernel: KernelCase, function: MLPFunction) {
        var random = SplitMix64(seed: 22)
        for (rows, outputs, inputs) in [(1, 33, 16), (5, 72, 48), (37, 300, 50), (400, 45, 32)] {
            let x = TypedArray(random.floats(rows * inputs), kernel.dtype)
            let weights = OwnedMatrix(
                random.floats(outputs * inputs, scale: 2), outputs: outputs, inputs: inputs, dtype: kernel.dtype)
            let bias = random.floats(outputs)
            let compute = Compute(isa: kernel.isa, threads: 2)
            var sums = [Float](repeating: 0, count: rows * outputs)
            compute.matmul(x.pointer, rows: rows, weights: weights.matrix, bias: bias, into: &sums)
            let out = TypedArray(zeros: rows * outputs, kernel.dtype)
            compute.activatedMatmul(
                x.pointer, rows: rows, weights: weights.matrix, bias: bias, function, into: out.pointer)
            let unit = unit(kernel.dtype)
            for (got, sum) in zip(out.floats, sums) {
                let wanted = Float(exact(function, Double(sum)))
                guard abs(got - wanted) > unit * abs(wanted) + 1e-6 else { continue }
                Issue.record("\(function) of \(sum) is \(wanted), not \(got)")
                return
            }
        }
    }

    @Test(arguments: KernelCase.all, MLPFunction.allCases)
    func gatesGoThroughTheFunction(kernel: KernelCase, function: MLPFunction) {
        var random = SplitMix64(seed: 23)
        for (rows, width, inputs) in [(1, 20, 16), (30, 72, 48)] {
            let values = random.floats(2 * width * inputs, scale: 2)
            let x = TypedArray(random.floats(rows * inputs), kernel.dtype)
            let gated = OwnedMatrix(values, outputs: 2 * width, inputs: inputs, dtype: kernel.dtype, kind: .gateUp)
            let plain = OwnedMatrix(values, outputs: 2 * width, inputs: inputs, dtype: kernel.dtype)
            let compute = Compute(isa: kernel.isa, threads: 2)
            var sums = [Float](repeating: 0, count: rows * 2 * width)
            compute.matmul(x.pointer, rows: rows, weights: plain.matrix, into: &sums)
            let out = TypedArray(zeros: rows * width, kernel.dtype)
            compute.gateUp(x.pointer, rows: rows, weights: gated.matrix, function, into: out.pointer)
            let numbers = out.floats
            for row in 0..<rows {
                for i in 0..<width {
                    let gate = Double(sums[row * 2 * width + i]), up = Double(sums[row * 2 * width + width + i])
                    let wanted = Float(exact(function, gate) * up)
                    let slack = unit(kernel.dtype) * abs(wanted) + 1e-6 * Float(max(1, abs(up)))
                    #expect(abs(numbers[row * width + i] - wanted) <= slack)
                }
            }
        }
    }

    @Test(arguments: presentLevels) func geluIsExactFarOutAndKeepsWhatIsNoNumber(isa: KernelISA) {
        let inputs: [Float] = [0, -0.0, 1e-20, -1e-20, 5.9, -5.9, 13, -13, 60, -60, 3e38, -3e38, .infinity, .nan]
        let one = OwnedMatrix([1], outputs: 1, inputs: 1, dtype: .float32)
        var out = [Float](repeating: 0, count: inputs.count)
        Compute(isa: isa, threads: 1).activatedMatmul(
            inputs, rows: inputs.count, weights: one.matrix, bias: nil, .gelu, into: &out)
        for (x, y) in zip(inputs, out) {
            let wanted = Float(exact(.gelu, Double(x)))
            #expect(
                y.isNaN && wanted.isNaN || y == wanted || abs(y - wanted) <= 3e-7 * max(1, abs(wanted)), "\(x): \(y)")
        }
    }

    @Test(arguments: presentLevels, RowPooling.allCases)
    func rowsArePooled(isa: KernelISA, pooling: RowPooling) {
        var random = SplitMix64(seed: 24)
        let size = 37
        let x = random.floats(60 * size)
        let spans = [RowSpan(first: 0, count: 1), RowSpan(first: 1, count: 5), RowSpan(first: 6, count: 54)]
        var out = [Float](repeating: 0, count: spans.count * size)
        Compute(isa: isa, threads: 2).poolRows(x, size: size, spans: spans, count: spans.count, pooling, into: &out)
        for (index, span) in spans.enumerated() {
            for i in 0..<size {
                let column = (0..<Int(span.count)).map { Double(x[(Int(span.first) + $0) * size + i]) }
                let count = Double(column.count)
                let wanted: Double
                switch pooling {
                case .mean: wanted = column.reduce(0, +) / count
                case .max: wanted = column.max()!
                case .meanSquareRoot: wanted = column.reduce(0, +) / count.squareRoot()
                case .weightedMean:
                    wanted =
                        column.enumerated().map { Double($0 + 1) * $1 }.reduce(0, +) / (count * (count + 1) / 2)
                }
                #expect(abs(Double(out[index * size + i]) - wanted) < 1e-5)
            }
        }
    }

    @Test(arguments: KernelCase.all) func looksUpRowsAndAddsThem(kernel: KernelCase) {
        var random = SplitMix64(seed: 25)
        let size = 41
        let table = OwnedMatrix(random.floats(9 * size), outputs: 9, inputs: size, dtype: kernel.dtype)
        let before = random.floats(3 * size)
        var out = before
        let compute = Compute(isa: kernel.isa, threads: 2)
        compute.embed([0, 4, 6], count: 3, offset: 2, table: table.matrix, accumulate: true, into: &out)
        compute.embed(nil, count: 3, table: table.matrix, accumulate: true, into: &out)
        for (row, index) in [2, 6, 8].enumerated() {
            for i in 0..<size {
                let wanted = (before[row * size + i] + table.rounded[index * size + i]) + table.rounded[i]
                #expect(out[row * size + i] == wanted)
            }
        }
    }
}
