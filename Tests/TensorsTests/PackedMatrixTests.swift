import Tensors
import Testing
import Values

@Suite struct PackedMatrixTests {
    @Test(arguments: DType.allCases) func rowsComeBackRounded(dtype: DType) {
        var random = SplitMix64(seed: 3)
        for (outputs, inputs) in [(1, 1), (31, 7), (32, 8), (33, 9), (70, 64)] {
            let owned = OwnedMatrix(random.floats(outputs * inputs), outputs: outputs, inputs: inputs, dtype: dtype)
            expectRows(of: owned, outputs, inputs)
        }
        for (outputs, inputs) in [(2, 3), (30, 4), (32, 5), (34, 6), (96, 7)] {
            let owned = OwnedMatrix(
                random.floats(outputs * inputs), outputs: outputs, inputs: inputs, dtype: dtype, kind: .gateUp)
            expectRows(of: owned, outputs, inputs)
        }
    }

    private func expectRows(of owned: OwnedMatrix, _ outputs: Int, _ inputs: Int) {
        for row in 0..<outputs {
            var out = [Float](repeating: 0, count: inputs)
            owned.matrix.unpackRow(row, into: &out)
            #expect(bits(out) == bits(owned.rounded[row * inputs..<(row + 1) * inputs]))
        }
    }

    @Test(arguments: [PackedMatrix.Kind.plain, .gateUp]) func packingInPiecesGivesTheSameBytes(kind: PackedMatrix.Kind)
    {
        var random = SplitMix64(seed: 4)
        let outputs = 74, inputs = 11
        let values = random.floats(outputs * inputs)
        for dtype in DType.allCases {
            let whole = OwnedMatrix(values, outputs: outputs, inputs: inputs, dtype: dtype, kind: kind)
            let bytes = PackedMatrix.byteCount(outputs: outputs, inputs: inputs, dtype: dtype, kind: kind)
            let pieces = TypedArray(zeros: bytes, .bfloat16)
            for (first, count) in [(0, 5), (50, 24), (5, 0), (5, 40), (45, 5)] {
                values.withUnsafeBufferPointer {
                    guard let base = $0.baseAddress else { return }
                    PackedMatrix.pack(
                        rows: base + first * inputs, first: first, count: count, outputs: outputs, inputs: inputs,
                        dtype: dtype, kind: kind, into: pieces.pointer)
                }
            }
            let expected = Array(UnsafeRawBufferPointer(start: whole.matrix.data, count: bytes))
            #expect(Array(pieces.bytes.prefix(bytes)) == expected)
        }
    }

    @Test func layoutIsBlocksOf32WithBfloat16Pairs() {
        let inputs = 4
        let values = (0..<33 * inputs).map { Float($0) }
        let half = OwnedMatrix(values, outputs: 33, inputs: inputs, dtype: .bfloat16)
        let pairs = half.matrix.data.assumingMemoryBound(to: UInt16.self)
        let single = OwnedMatrix(values, outputs: 33, inputs: inputs, dtype: .float32)
        let floats = single.matrix.data.assumingMemoryBound(to: Float.self)
        for row in 0..<33 {
            for k in 0..<inputs {
                let block = row / 32, lane = row % 32
                #expect(
                    BFloat16(bits: pairs[((block * 2 + k / 2) * 32 + lane) * 2 + k % 2]).float
                        == values[row * inputs + k])
                #expect(floats[(block * inputs + k) * 32 + lane] == values[row * inputs + k])
            }
        }
        #expect(PackedMatrix.byteCount(outputs: 33, inputs: 3, dtype: .bfloat16) == 2 * 4 * 32 * 2)
        #expect(PackedMatrix.byteCount(outputs: 34, inputs: 3, dtype: .float32, kind: .gateUp) == 2 * 4 * 32 * 4)
        #expect(PackedMatrix.byteCount(outputs: 0, inputs: 3, dtype: .float32) == 0)
    }

    @Test(arguments: KernelCase.all) func embedGathersScaledRows(kernel: KernelCase) {
        var random = SplitMix64(seed: 5)
        let table = OwnedMatrix(random.floats(67 * 37), outputs: 67, inputs: 37, dtype: kernel.dtype)
        let tokens: [Int32] = [66, 0, 31, 32, 66]
        var out = [Float](repeating: 0, count: tokens.count * 37)
        Compute(isa: kernel.isa, threads: 2).embed(
            tokens, count: tokens.count, table: table.matrix, scale: 1.5, into: &out)
        let expected = tokens.flatMap { table.rounded[Int($0) * 37..<(Int($0) + 1) * 37] }.map { $0 * 1.5 }
        #expect(bits(out) == bits(expected))
    }
}
