import Tensors
import Testing
import Values

/// A way to multiply quantized weights: a level, with or without its byte dot instruction, and a format.
struct QuantizedCase: Sendable, CustomTestStringConvertible {
    var isa: KernelISA
    var leavesVNNI: Bool
    var format: WeightFormat
    var testDescription: String { "\(isa.name)\(leavesVNNI ? " without VNNI" : "") \(format)" }

    static let formats: [WeightFormat] = [.int8, .int4(group: 32), .int4(group: 64), .int4(group: 128)]
    static let all = presentLevels.flatMap { isa in
        (isa < .avx512 ? [false] : [false, true]).flatMap { leaves in
            formats.map { QuantizedCase(isa: isa, leavesVNNI: leaves, format: $0) }
        }
    }

    func compute(threads: Int) -> Compute {
        let compute = Compute(isa: isa, threads: threads)
        if leavesVNNI { compute.leaveVNNI() }
        return compute
    }
}

/// A product with quantized weights, and what it should be.
struct QuantizedProduct {
    let shape: ProductShape
    let matrix: PackedMatrix
    let x: TypedArray
    /// The packed weights as numbers.
    let weights: [Float]
    private let memory: AlignedBuffer

    init(
        _ shape: ProductShape, _ format: WeightFormat, dtype: DType = .float32, kind: PackedMatrix.Kind = .plain,
        seed: UInt64 = 1
    ) {
        var random = SplitMix64(seed: seed)
        let (outputs, inputs) = (shape.outputs, shape.inputs)
        let values = random.floats(outputs * inputs)
        let bytes = PackedMatrix.byteCount(outputs: outputs, inputs: inputs, dtype: dtype, kind: kind, format: format)
        guard let memory = AlignedBuffer(byteCount: max(64, bytes)) else { fatalError("no memory") }
        // Garbage first: packing must write every byte that is read later.
        memory.pointer.initializeMemory(as: UInt8.self, repeating: 0xff, count: bytes)
        PackedMatrix.pack(
            rows: values, first: 0, count: outputs, outputs: outputs, inputs: inputs, dtype: dtype, kind: kind,
            format: format, into: memory.pointer)
        self.memory = memory
        self.shape = shape
        let packed = PackedMatrix(
            data: memory.pointer, outputs: outputs, inputs: inputs, dtype: dtype, kind: kind, format: format)
        matrix = packed
        x = TypedArray(random.floats(shape.rows * inputs), dtype)
        weights = (0..<outputs).flatMap { row in
            var out = [Float](repeating: 0, count: inputs)
            packed.unpackRow(row, into: &out)
            return out
        }
    }

    /// The product of rows `first ..< first + count`.
    func run(_ compute: Compute, first: Int = 0, count: Int? = nil) -> [Float] {
        let rows = count ?? shape.rows
        var out = [Float](repeating: .nan, count: rows * shape.outputs)
        compute.matmul(
            x.pointer + first * shape.inputs * x.dtype.size, rows: rows, weights: matrix, into: &out)
        return out
    }

    /// Activations rounded by the definition: to even, with scale = max |x| / 127 over the row or, for int4, a group.
    func roundedActivations() -> [Double] {
        let floats = x.floats
        let group = if case .int4(let group) = matrix.format { group } else { max(1, shape.inputs) }
        var rounded: [Double] = []
        for row in 0..<shape.rows {
            for first in stride(from: 0, to: shape.inputs, by: group) {
                let start = row * shape.inputs + first
                let numbers = floats[start..<start + min(group, shape.inputs - first)]
                let largest = numbers.map(\.magnitude).max() ?? 0
                let scale = Double(largest / 127)
                rounded += numbers.map { Double(($0 * (127 / largest)).rounded(.toNearestOrEven)) * scale }
            }
        }
        return rounded
    }

    /// The product in double precision.
    func expected() -> [Double] {
        let rounded = roundedActivations()
        let weights = self.weights.map(Double.init)
        var out: [Double] = []
        for row in 0..<shape.rows {
            for output in 0..<shape.outputs {
                var sum = 0.0
                for k in 0..<shape.inputs {
                    sum += rounded[row * shape.inputs + k] * weights[output * shape.inputs + k]
                }
                out.append(sum)
            }
        }
        return out
    }
}

@Suite struct QuantizedMatMulTests {
    /// Widths around steps of 8, groups and K blocks; outputs around blocks of 32; rows around tiles and passes.
    static let shapes: [ProductShape] =
        ProductShape.awkward + [
            .init(rows: 6, outputs: 96, inputs: 129), .init(rows: 11, outputs: 31, inputs: 386),
            .init(rows: 24, outputs: 65, inputs: 778), .init(rows: 70, outputs: 34, inputs: 100),
            .init(rows: 26, outputs: 33, inputs: 2101), .init(rows: 3, outputs: 33, inputs: 4099),
        ]

    @Test(arguments: QuantizedCase.all) func agreesWithWholeNumbersInDoublePrecision(kernel: QuantizedCase) {
        let compute = kernel.compute(threads: 2)
        for shape in Self.shapes {
            let product = QuantizedProduct(shape, kernel.format)
            let found = product.run(compute), expected = product.expected()
            // Int8 rounds the sum and two products; int4 rounds twice for each group.
            let unit = kernel.format == .int8 ? 2e-7 : 1e-6
            let bound = unit * Double(shape.inputs).squareRoot()
            let worst = zip(found, expected).map { abs(Double($0) - $1) / (1 + abs($1)) }.max() ?? 0
            #expect(worst <= bound, "\(shape)")
        }
    }

    @Test(arguments: QuantizedCase.all) func everyLevelHasTheSameBits(kernel: QuantizedCase) {
        let compute = kernel.compute(threads: 2)
        for shape in Self.shapes {
            let product = QuantizedProduct(shape, kernel.format, dtype: .bfloat16)
            #expect(bits(product.run(compute)) == bits(product.run(scalarCompute())), "\(shape)")
        }
    }

    @Test(arguments: QuantizedCase.all) func rowsHaveTheSameBitsInEveryCall(kernel: QuantizedCase) {
        let one = kernel.compute(threads: 1), three = kernel.compute(threads: 3)
        for inputs in [557, 2100] {
            let shape = ProductShape(rows: inputs == 557 ? 530 : 70, outputs: 97, inputs: inputs)
            let product = QuantizedProduct(shape, kernel.format, dtype: .bfloat16)
            let alone = (0..<shape.rows).flatMap { product.run(one, first: $0, count: 1) }
            for rows in (Array(1...40) + [70, 100, 513, 530]) where rows <= shape.rows {
                for compute in [one, three] {
                    let together = product.run(compute, count: rows)
                    #expect(bits(together) == bits(alone.prefix(rows * shape.outputs)), "\(rows) rows")
                }
            }
        }
    }

    @Test(arguments: QuantizedCase.all) func biasAndResidualAreAddedToTheFinishedSum(kernel: QuantizedCase) {
        let compute = kernel.compute(threads: 2)
        for shape in [ProductShape(rows: 3, outputs: 70, inputs: 65), .init(rows: 40, outputs: 33, inputs: 600)] {
            let product = QuantizedProduct(shape, kernel.format)
            var random = SplitMix64(seed: 9)
            let residual = random.floats(shape.rows * shape.outputs), bias = random.floats(shape.outputs)
            let sum = product.run(compute)
            let biased = sum.indices.map { sum[$0] + bias[$0 % shape.outputs] }
            var out = [Float](repeating: .nan, count: sum.count)
            compute.matmul(product.x.pointer, rows: shape.rows, weights: product.matrix, bias: bias, into: &out)
            #expect(bits(out) == bits(biased))
            for withBias in [false, true] {
                out = residual
                bias.withUnsafeBufferPointer {
                    compute.matmul(
                        product.x.pointer, rows: shape.rows, weights: product.matrix,
                        bias: withBias ? $0.baseAddress : nil, accumulate: true, into: &out)
                }
                #expect(bits(out) == bits(zip(residual, withBias ? biased : sum).map { $0 + $1 }))
            }
        }
    }

    @Test(arguments: QuantizedCase.all) func gateUpIsSiluTimesUp(kernel: QuantizedCase) {
        let compute = kernel.compute(threads: 2)
        for shape in [
            ProductShape(rows: 1, outputs: 2, inputs: 5), .init(rows: 2, outputs: 30, inputs: 16),
            .init(rows: 5, outputs: 34, inputs: 33), .init(rows: 40, outputs: 544, inputs: 300),
        ] {
            let product = QuantizedProduct(shape, kernel.format, kind: .gateUp), width = shape.outputs / 2
            let sums = product.expected()
            let out = TypedArray(zeros: shape.rows * width, .float32)
            compute.gateUp(product.x.pointer, rows: shape.rows, weights: product.matrix, into: out.pointer)
            let worst =
                (0..<shape.rows * width).map { i in
                    let gate = sums[i / width * shape.outputs + i % width]
                    let up = sums[i / width * shape.outputs + width + i % width]
                    let expected = gate / (1 + exponential(-gate)) * up
                    return abs(Double(out.floats[i]) - expected) / (1 + abs(expected))
                }.max() ?? 0
            #expect(worst < 3e-5, "\(shape)")
        }
    }

    @Test(arguments: QuantizedCase.all) func rowsWithoutNumbersStayWithoutNumbers(kernel: QuantizedCase) {
        let compute = kernel.compute(threads: 1)
        let product = QuantizedProduct(ProductShape(rows: 5, outputs: 40, inputs: 70), kernel.format)
        let x = product.x.pointer.assumingMemoryBound(to: Float.self)
        x[3] = .nan
        x[70 + 69] = .infinity
        for k in 140..<210 { x[k] = 0 }
        for k in 210..<280 { x[k] = .leastNonzeroMagnitude }
        let out = product.run(compute)
        #expect(out[..<80].allSatisfy { $0.isNaN })
        #expect(out[80..<160].allSatisfy { $0 == 0 })
        #expect(out[160...].allSatisfy { $0.isFinite })
    }
}
