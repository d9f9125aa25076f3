import Tensors
import Testing
import Values

/// Matrices whose columns are inputs in another order.
@Suite struct InputOrderTests {
    @Test(arguments: QuantizedCase.all.filter { $0.format != .int8 }, [DType.float32, .bfloat16])
    func aProductIsThatOfInputsInTheColumnsOrder(_ kernel: QuantizedCase, _ dtype: DType) throws {
        let (outputs, inputs) = (70, 256)
        var random = SplitMix64(seed: 9)
        let values = random.floats(outputs * inputs)
        let order = (0..<Int32(inputs)).shuffled(using: &random)
        func packed(isOrdered: Bool) throws -> (matrix: PackedMatrix, memory: AlignedBuffer) {
            let bytes = PackedMatrix.byteCount(
                outputs: outputs, inputs: inputs, dtype: dtype, format: kernel.format, isOrdered: isOrdered)
            let memory = try #require(AlignedBuffer(byteCount: bytes))
            PackedMatrix.pack(
                rows: values, first: 0, count: outputs, outputs: outputs, inputs: inputs, dtype: dtype,
                format: kernel.format, into: memory.pointer)
            let matrix = PackedMatrix(
                data: memory.pointer, outputs: outputs, inputs: inputs, dtype: dtype, format: kernel.format,
                isOrdered: isOrdered)
            if isOrdered { matrix.pack(order: order, into: memory.pointer) }
            return (matrix, memory)
        }
        let (ordered, plain) = (try packed(isOrdered: true), try packed(isOrdered: false))
        for rows in [1, 5, 90] {
            let x = random.floats(rows * inputs)
            let sorted = (0..<rows).flatMap { row in order.map { x[row * inputs + Int($0)] } }
            let (given, taken) = (TypedArray(x, dtype), TypedArray(sorted, dtype))
            let compute = kernel.compute(threads: 2)
            var found = [Float](repeating: .nan, count: rows * outputs)
            var expected = found
            compute.matmul(given.pointer, rows: rows, weights: ordered.matrix, into: &found)
            compute.matmul(taken.pointer, rows: rows, weights: plain.matrix, into: &expected)
            #expect(found.map(\.bitPattern) == expected.map(\.bitPattern), "\(rows) rows")
        }
        for row in [0, 69] {
            var (columns, numbers) = ([Float](repeating: 0, count: inputs), [Float](repeating: 0, count: inputs))
            plain.matrix.unpackRow(row, into: &columns)
            ordered.matrix.unpackRow(row, into: &numbers)
            for column in 0..<inputs { #expect(numbers[Int(order[column])] == columns[column]) }
        }
    }
}
