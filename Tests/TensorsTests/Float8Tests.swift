import Tensors
import Testing
import Values

/// Weights of 8 bits in floating point.
@Suite struct Float8Tests {
    /// A matrix of random codes and scales, and the numbers they stand for.
    private struct Float8Matrix {
        let matrix: PackedMatrix
        let numbers: [Float]
        private let memory: AlignedBuffer

        init(_ shape: ProductShape, group: Int, dtype: DType, kind: PackedMatrix.Kind) {
            var random = SplitMix64(seed: UInt64(shape.inputs + group))
            let (outputs, inputs) = (shape.outputs, shape.inputs)
            // Every code but the two that are no numbers.
            let codes = (0..<outputs * inputs).map { _ in UInt8(random.next() % 127) | UInt8(random.next() % 2) << 7 }
            let groups = group == 0 ? 1 : (inputs + group - 1) / group
            let scales = random.floats(outputs * groups, scale: 0.01)
            numbers = codes.indices.map { index in
                let (row, column) = (index / inputs, index % inputs)
                return Self.value(codes[index]) * scales[row * groups + (group == 0 ? 0 : column / group)]
            }
            let bytes = PackedMatrix.byteCount(
                outputs: outputs, inputs: inputs, dtype: dtype, kind: kind, format: .float8(group: group))
            guard let memory = AlignedBuffer(byteCount: max(64, bytes)) else { fatalError("no memory") }
            // Garbage first: packing must write every byte that is read later.
            memory.pointer.initializeMemory(as: UInt8.self, repeating: 0xff, count: bytes)
            let packed = PackedMatrix(
                data: memory.pointer, outputs: outputs, inputs: inputs, dtype: dtype, kind: kind,
                format: .float8(group: group))
            for first in stride(from: 0, to: outputs, by: 50) {
                codes.withUnsafeBufferPointer { codes in
                    scales.withUnsafeBufferPointer { scales in
                        let rows = QuantizedRows(
                            codes: codes.baseAddress! + first * inputs, scales: scales.baseAddress! + first * groups)
                        packed.pack(codes: rows, first: first, count: min(50, outputs - first), into: memory.pointer)
                    }
                }
            }
            matrix = packed
            self.memory = memory
        }

        /// E4M3 by its definition.
        static func value(_ code: UInt8) -> Float {
            let (exponent, fraction) = (Int(code >> 3) & 15, Float(code & 7) / 8)
            var value: Float = exponent == 0 ? fraction * 0x1p-6 : 1 + fraction
            for _ in 0..<max(0, exponent - 7) { value *= 2 }
            for _ in 0..<(exponent == 0 ? 0 : max(0, 7 - exponent)) { value /= 2 }
            return code & 0x80 == 0 ? value : -value
        }
    }

    private static let shapes = [
        ProductShape(rows: 1, outputs: 33, inputs: 70), ProductShape(rows: 3, outputs: 96, inputs: 513),
        ProductShape(rows: 40, outputs: 130, inputs: 300), ProductShape(rows: 210, outputs: 300, inputs: 1031),
    ]

    @Test(arguments: KernelCase.all, [0, 32, 128]) func productsAreThoseOfTheNumbersInTheMatrixType(
        _ kernel: KernelCase, group: Int
    ) {
        for threads in [1, 3] {
            let compute = Compute(isa: kernel.isa, threads: threads)
            for shape in Self.shapes {
                var random = SplitMix64(seed: 5)
                let x = TypedArray(random.floats(shape.rows * shape.inputs), kernel.dtype)
                let float8 = Float8Matrix(shape, group: group, dtype: kernel.dtype, kind: .plain)
                let plain = OwnedMatrix(
                    float8.numbers, outputs: shape.outputs, inputs: shape.inputs, dtype: kernel.dtype)
                var found = [Float](repeating: .nan, count: shape.rows * shape.outputs)
                var expected = found
                compute.matmul(x.pointer, rows: shape.rows, weights: float8.matrix, into: &found)
                compute.matmul(x.pointer, rows: shape.rows, weights: plain.matrix, into: &expected)
                #expect(found.map(\.bitPattern) == expected.map(\.bitPattern), "\(shape), \(threads) threads")
            }
        }
    }

    @Test(arguments: KernelCase.all) func gatedProductsToo(_ kernel: KernelCase) {
        let compute = Compute(isa: kernel.isa, threads: 2)
        for rows in [1, 90] {
            let shape = ProductShape(rows: rows, outputs: 2 * 41, inputs: 258)
            var random = SplitMix64(seed: 6)
            let x = TypedArray(random.floats(rows * shape.inputs), kernel.dtype)
            let float8 = Float8Matrix(shape, group: 64, dtype: kernel.dtype, kind: .gateUp)
            let plain = OwnedMatrix(
                float8.numbers, outputs: shape.outputs, inputs: shape.inputs, dtype: kernel.dtype, kind: .gateUp)
            let (found, expected) = (
                TypedArray(zeros: rows * 41, kernel.dtype), TypedArray(zeros: rows * 41, kernel.dtype)
            )
            compute.gateUp(x.pointer, rows: rows, weights: float8.matrix, into: found.pointer)
            compute.gateUp(x.pointer, rows: rows, weights: plain.matrix, into: expected.pointer)
            #expect(found.bytes == expected.bytes, "\(rows) rows")
        }
    }

    @Test(arguments: [0, 32, 96], [DType.float32, .bfloat16]) func rowsAreReadBack(group: Int, dtype: DType) {
        let shape = ProductShape(rows: 1, outputs: 70, inputs: 203)
        let float8 = Float8Matrix(shape, group: group, dtype: dtype, kind: .plain)
        for row in 0..<shape.outputs {
            var out = [Float](repeating: .nan, count: shape.inputs)
            float8.matrix.unpackRow(row, into: &out)
            #expect(out == Array(float8.numbers[row * shape.inputs..<(row + 1) * shape.inputs]))
        }
    }
}
