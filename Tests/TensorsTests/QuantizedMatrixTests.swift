import Tensors
import Testing
import Values

@Suite struct QuantizedMatrixTests {
    private func packed(
        _ values: [Float], outputs: Int, inputs: Int, format: WeightFormat, kind: PackedMatrix.Kind = .plain
    ) -> (matrix: PackedMatrix, memory: AlignedBuffer) {
        let bytes = PackedMatrix.byteCount(
            outputs: outputs, inputs: inputs, dtype: .bfloat16, kind: kind, format: format)
        guard let memory = AlignedBuffer(byteCount: bytes) else { fatalError("no memory") }
        PackedMatrix.pack(
            rows: values, first: 0, count: outputs, outputs: outputs, inputs: inputs, dtype: .bfloat16, kind: kind,
            format: format, into: memory.pointer)
        return (
            PackedMatrix(
                data: memory.pointer, outputs: outputs, inputs: inputs, dtype: .bfloat16, kind: kind, format: format),
            memory
        )
    }

    private func rows(of matrix: PackedMatrix) -> [Float] {
        (0..<matrix.outputs).flatMap { row in
            var out = [Float](repeating: .nan, count: matrix.inputs)
            matrix.unpackRow(row, into: &out)
            return out
        }
    }

    @Test(arguments: QuantizedCase.formats, [PackedMatrix.Kind.plain, .gateUp])
    func weightsAreRoundedByHalfAStepAtMost(format: WeightFormat, kind: PackedMatrix.Kind) {
        var random = SplitMix64(seed: 3)
        for (outputs, inputs) in [(2, 1), (30, 7), (32, 8), (34, 133), (70, 64)] {
            let values = random.floats(outputs * inputs)
            let (matrix, memory) = packed(values, outputs: outputs, inputs: inputs, format: format, kind: kind)
            let found = rows(of: matrix)
            // Numbers lie in -1 ..< 1: steps of 1/127, or of 2/15 with the rounding of scale and minimum.
            let bound: Float = format == .int8 ? 0.5 / 127 + 1e-6 : 1.0 / 15 * 1.1
            #expect(largestDifference(found, values) <= bound, "\(outputs)x\(inputs)")
            withExtendedLifetime(memory) {}
        }
    }

    @Test func int4KeepsWhatSixteenStepsCanSay() {
        // Minimum -1, steps of 1/8: every number is a code.
        let values: [Float] = (0..<64 * 96).map { (i: Int) -> Float in Float(i * 7 % 16) / 8 - 1 }
        for group in [32, 64, 128] {
            let (matrix, memory) = packed(values, outputs: 64, inputs: 96, format: .int4(group: group))
            #expect(largestDifference(rows(of: matrix), values) == 0)
            withExtendedLifetime(memory) {}
        }
    }

    @Test(arguments: QuantizedCase.formats, [PackedMatrix.Kind.plain, .gateUp])
    func packingInPiecesGivesTheSameBytes(format: WeightFormat, kind: PackedMatrix.Kind) {
        var random = SplitMix64(seed: 4)
        let outputs = 74, inputs = 139
        let values = random.floats(outputs * inputs)
        let whole = packed(values, outputs: outputs, inputs: inputs, format: format, kind: kind)
        let bytes = PackedMatrix.byteCount(
            outputs: outputs, inputs: inputs, dtype: .bfloat16, kind: kind, format: format)
        guard let pieces = AlignedBuffer(byteCount: bytes) else { return }
        for (first, count) in [(0, 5), (50, 24), (5, 0), (5, 40), (45, 5)] {
            values.withUnsafeBufferPointer {
                PackedMatrix.pack(
                    rows: $0.baseAddress! + first * inputs, first: first, count: count, outputs: outputs,
                    inputs: inputs, dtype: .bfloat16, kind: kind, format: format, into: pieces.pointer)
            }
        }
        let found = UnsafeRawBufferPointer(start: pieces.pointer, count: bytes)
        let expected = UnsafeRawBufferPointer(start: whole.memory.pointer, count: bytes)
        #expect(Array(found) == Array(expected))
    }

    @Test func givenCodesComeBack() {
        var random = SplitMix64(seed: 5)
        let (outputs, inputs) = (45, 96)
        let codes = (0..<outputs * inputs).map { _ in UInt8.random(in: 0...15, using: &random) }
        let scales = (0..<outputs * 3).map { _ in Float(Float16(Float.random(in: 0.01..<1, using: &random))) }
        let minimums = (0..<outputs * 3).map { _ in Float(Float16(Float.random(in: -1..<1, using: &random))) }
        let target = packed(
            [Float](repeating: 0, count: outputs * inputs), outputs: outputs, inputs: inputs,
            format: .int4(group: 32))
        codes.withUnsafeBufferPointer { codes in
            scales.withUnsafeBufferPointer { scales in
                minimums.withUnsafeBufferPointer { minimums in
                    target.matrix.pack(
                        codes: QuantizedRows(
                            codes: codes.baseAddress!, scales: scales.baseAddress!, minimums: minimums.baseAddress!),
                        first: 0, count: outputs, into: target.memory.pointer)
                }
            }
        }
        let expected = codes.indices.map { scales[$0 / 32] * Float(codes[$0]) + minimums[$0 / 32] }
        #expect(bits(rows(of: target.matrix)) == bits(expected))
    }

    @Test(arguments: QuantizedCase.formats) func embedReadsDequantizedRows(format: WeightFormat) {
        var random = SplitMix64(seed: 6)
        let table = packed(random.floats(67 * 37), outputs: 67, inputs: 37, format: format)
        let tokens: [Int32] = [66, 0, 31, 32, 66]
        var out = [Float](repeating: 0, count: tokens.count * 37)
        Compute(threads: 2).embed(tokens, count: tokens.count, table: table.matrix, scale: 1.5, into: &out)
        let all = rows(of: table.matrix)
        let expected = tokens.flatMap { all[Int($0) * 37..<(Int($0) + 1) * 37] }.map { $0 * 1.5 }
        #expect(bits(out) == bits(expected))
    }

    @Test func byteCountsAreOfPaddedColumnsAndScales() {
        #expect(PackedMatrix.byteCount(outputs: 33, inputs: 9, dtype: .bfloat16, format: .int8) == 2 * (16 * 32 + 128))
        #expect(
            PackedMatrix.byteCount(outputs: 32, inputs: 130, dtype: .bfloat16, format: .int4(group: 64))
                == 136 * 16 + 3 * 128)
    }
}
