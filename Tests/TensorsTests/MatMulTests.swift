import COpenBLAS
import Tensors
import Testing
import Values

/// Sizes of a product.
struct ProductShape: Sendable, CustomTestStringConvertible {
    var rows: Int
    var outputs: Int
    var inputs: Int
    var testDescription: String { "\(rows)x\(outputs)x\(inputs)" }

    /// Lanes, blocks and K blocks, each one less, exact, and one more.
    static let awkward: [ProductShape] = [
        .init(rows: 0, outputs: 32, inputs: 8), .init(rows: 1, outputs: 1, inputs: 1),
        .init(rows: 1, outputs: 31, inputs: 15), .init(rows: 1, outputs: 32, inputs: 16),
        .init(rows: 1, outputs: 33, inputs: 17), .init(rows: 2, outputs: 160, inputs: 31),
        .init(rows: 3, outputs: 129, inputs: 33), .init(rows: 4, outputs: 64, inputs: 257),
        .init(rows: 5, outputs: 97, inputs: 63), .init(rows: 7, outputs: 40, inputs: 65),
        .init(rows: 8, outputs: 300, inputs: 511), .init(rows: 12, outputs: 66, inputs: 128),
        .init(rows: 13, outputs: 65, inputs: 255), .init(rows: 25, outputs: 288, inputs: 513),
        .init(rows: 100, outputs: 70, inputs: 301), .init(rows: 530, outputs: 48, inputs: 40),
        .init(rows: 197, outputs: 100, inputs: 384), .init(rows: 193, outputs: 40, inputs: 1708),
    ]
}

/// A product's operands.
struct Product {
    let shape: ProductShape
    let weights: OwnedMatrix
    let x: TypedArray
    let bias: [Float]

    init(_ shape: ProductShape, _ dtype: DType, kind: PackedMatrix.Kind = .plain, seed: UInt64 = 1) {
        var random = SplitMix64(seed: seed)
        self.shape = shape
        weights = OwnedMatrix(
            random.floats(shape.outputs * shape.inputs), outputs: shape.outputs, inputs: shape.inputs, dtype: dtype,
            kind: kind)
        x = TypedArray(random.floats(shape.rows * shape.inputs), dtype)
        bias = random.floats(shape.outputs)
    }

    /// The product of rows `first ..< first + count`.
    func run(_ compute: Compute, first: Int = 0, count: Int? = nil, bias: Bool = false) -> [Float] {
        let rows = count ?? shape.rows
        var out = [Float](repeating: .nan, count: rows * shape.outputs)
        let x = self.x.pointer + first * shape.inputs * self.x.dtype.size
        self.bias.withUnsafeBufferPointer {
            compute.matmul(x, rows: rows, weights: weights.matrix, bias: bias ? $0.baseAddress : nil, into: &out)
        }
        return out
    }

    /// Float32 sums of K products of numbers below one differ by less than this, whatever their order.
    var tolerance: Float { Float(shape.inputs) * 1.2e-7 + 1e-6 }
}

@Suite struct MatMulTests {
    @Test(arguments: ProductShape.awkward) func scalarAgreesWithOpenBLAS(shape: ProductShape) {
        for dtype in DType.allCases {
            let product = Product(shape, dtype)
            var expected = [Float](repeating: 0, count: shape.rows * shape.outputs)
            cblas_sgemm(
                CblasRowMajor, CblasNoTrans, CblasTrans, blasint(shape.rows), blasint(shape.outputs),
                blasint(shape.inputs), 1, product.x.floats, blasint(shape.inputs), product.weights.rounded,
                blasint(shape.inputs), 0, &expected, blasint(shape.outputs))
            #expect(largestDifference(product.run(scalarCompute()), expected) <= product.tolerance)
        }
    }

    @Test(arguments: KernelCase.vector) func agreesWithScalar(kernel: KernelCase) {
        let compute = Compute(isa: kernel.isa, threads: 2)
        for shape in ProductShape.awkward {
            let product = Product(shape, kernel.dtype)
            let expected = product.run(scalarCompute(), bias: true)
            #expect(largestDifference(product.run(compute, bias: true), expected) <= product.tolerance, "\(shape)")
        }
    }

    @Test(arguments: KernelCase.all) func accumulatesTheFinishedSum(kernel: KernelCase) {
        let compute = Compute(isa: kernel.isa, threads: 2)
        for shape in [ProductShape(rows: 3, outputs: 70, inputs: 65), .init(rows: 40, outputs: 33, inputs: 600)] {
            let product = Product(shape, kernel.dtype)
            var random = SplitMix64(seed: 9)
            let residual = random.floats(shape.rows * shape.outputs)
            for biased in [false, true] {
                var out = residual
                product.bias.withUnsafeBufferPointer {
                    compute.matmul(
                        product.x.pointer, rows: shape.rows, weights: product.weights.matrix,
                        bias: biased ? $0.baseAddress : nil, accumulate: true, into: &out)
                }
                let sum = product.run(compute, bias: biased)
                #expect(bits(out) == bits(zip(residual, sum).map { $0 + $1 }))
            }
        }
    }

    @Test(arguments: KernelCase.all) func gateUpIsSiluTimesUp(kernel: KernelCase) {
        let compute = Compute(isa: kernel.isa, threads: 2)
        for shape in [
            ProductShape(rows: 1, outputs: 2, inputs: 5), .init(rows: 2, outputs: 30, inputs: 16),
            .init(rows: 4, outputs: 34, inputs: 33), .init(rows: 40, outputs: 544, inputs: 300),
        ] {
            let product = Product(shape, kernel.dtype, kind: .gateUp), width = shape.outputs / 2
            let plain = OwnedMatrix(
                product.weights.rounded, outputs: shape.outputs, inputs: shape.inputs, dtype: kernel.dtype)
            var sums = [Float](repeating: 0, count: shape.rows * shape.outputs)
            compute.matmul(product.x.pointer, rows: shape.rows, weights: plain.matrix, into: &sums)
            let out = TypedArray(zeros: shape.rows * width, kernel.dtype)
            compute.gateUp(product.x.pointer, rows: shape.rows, weights: product.weights.matrix, into: out.pointer)
            let expected = (0..<shape.rows * width).map { i in
                let gate = Double(sums[i / width * shape.outputs + i % width])
                let up = Double(sums[i / width * shape.outputs + width + i % width])
                return Float(gate / (1 + exponential(-gate)) * up)
            }
            let unit: Float = kernel.dtype == .float32 ? 3e-7 : kernel.dtype == .float16 ? 5e-4 : 4e-3
            let good = zip(out.floats, expected).allSatisfy { abs($0 - $1) <= unit * abs($1) + 1e-7 }
            #expect(good, "\(shape)")
        }
    }

    @Test(arguments: KernelCase.all) func rowsHaveTheSameBitsInEveryCall(kernel: KernelCase) {
        checkInvariance(Compute(isa: kernel.isa, threads: 1), Compute(isa: kernel.isa, threads: 3), kernel.dtype)
    }

    @Test func emulatedPairDotAgreesAndIsInvariant() {
        let one = Compute(isa: .avx512, threads: 1), three = Compute(isa: .avx512, threads: 3)
        guard one.emulatePairDot(), three.emulatePairDot() else { return }
        for shape in ProductShape.awkward {
            let product = Product(shape, .bfloat16)
            let expected = product.run(scalarCompute(), bias: true)
            #expect(largestDifference(product.run(three, bias: true), expected) <= product.tolerance, "\(shape)")
        }
        checkInvariance(one, three, .bfloat16)
    }

    /// Rows alone on one thread against the same rows in calls of every size on three.
    private func checkInvariance(_ one: Compute, _ three: Compute, _ dtype: DType) {
        let shape = ProductShape(rows: 530, outputs: 97, inputs: 557)
        let product = Product(shape, dtype)
        let alone = (0..<shape.rows).flatMap { product.run(one, first: $0, count: 1) }
        for rows in Array(1...40) + [100, 513, 530] {
            for compute in [one, three] {
                let together = product.run(compute, count: rows)
                #expect(bits(together) == bits(alone.prefix(rows * shape.outputs)), "\(rows) rows")
            }
        }
        let last = product.run(three, first: 512, count: 18)
        #expect(bits(last) == bits(alone.suffix(18 * shape.outputs)))
    }
}
