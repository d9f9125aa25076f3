import Tensors
import Testing
import Values

/// A way to multiply a GGUF file's blocks: a level, with or without its byte dot instruction, and a kind.
struct BlockCase: Sendable, CustomTestStringConvertible {
    var isa: KernelISA
    var leavesVNNI: Bool
    var kind: BlockKind
    var testDescription: String { "\(isa.name)\(leavesVNNI ? " without VNNI" : "") \(kind)" }

    static let all = presentLevels.flatMap { isa in
        (isa < .avx512 ? [false] : [false, true]).flatMap { leaves in
            BlockKind.allCases.map { BlockCase(isa: isa, leavesVNNI: leaves, kind: $0) }
        }
    }

    func compute(threads: Int) -> Compute {
        let compute = Compute(isa: isa, threads: threads)
        if leavesVNNI { compute.leaveVNNI() }
        return compute
    }
}

extension BlockKind {
    /// Bytes of a block in a file, and where its float16 factors are.
    var layout: (bytes: Int, halves: [Int]) {
        switch self {
        case .q4_0: (18, [0])
        case .q4_1: (20, [0, 2])
        case .q8_0: (34, [0])
        case .q5_0: (22, [0])
        case .q5_1: (24, [0, 2])
        case .q2_K: (84, [80, 82])
        case .q3_K: (110, [108])
        case .q4_K: (144, [0, 2])
        case .q5_K: (176, [0, 2])
        case .q6_K: (210, [208])
        case .iq4_nl: (18, [0])
        case .iq4_xs: (136, [0])
        case .mxfp4: (17, [])
        }
    }

    /// Columns that one scale of the activations covers.
    var group: Int { [.q2_K, .q3_K, .q6_K].contains(self) ? 16 : 32 }

    /// Blocks of any codes, with factors about 1 / 64 of either sign.
    func blocks(_ count: Int, using random: inout SplitMix64) -> [UInt8] {
        var bytes: [UInt8] = []
        for _ in 0..<count {
            var block = (0..<layout.bytes).map { _ in UInt8.random(in: 0...255, using: &random) }
            for at in layout.halves {
                block[at + 1] = UInt8.random(in: 0x22...0x26, using: &random) | (Bool.random(using: &random) ? 0x80 : 0)
            }
            if self == .mxfp4 { block[0] = UInt8.random(in: 118...124, using: &random) }
            bytes += block
        }
        return bytes
    }
}

/// A product with a file's blocks, and what it should be.
struct BlockProduct {
    let shape: ProductShape
    let kind: BlockKind
    let matrix: PackedMatrix
    let x: TypedArray
    /// What the blocks stand for, `[outputs][inputs]`.
    let weights: [Float]
    /// The blocks themselves.
    let file: [UInt8]
    private let memory: AlignedBuffer

    init(_ shape: ProductShape, _ kind: BlockKind, dtype: DType = .float32, order: PackedMatrix.Kind = .plain) {
        var random = SplitMix64(seed: 5)
        let stride = shape.inputs / kind.inputs * kind.layout.bytes
        let file = kind.blocks(shape.outputs * shape.inputs / kind.inputs, using: &random)
        let bytes = PackedMatrix.byteCount(
            outputs: shape.outputs, inputs: shape.inputs, dtype: dtype, kind: order, format: .blocks(kind))
        guard let memory = AlignedBuffer(byteCount: bytes) else { fatalError("no memory") }
        // Garbage first: packing must write every byte that is read later.
        memory.pointer.initializeMemory(as: UInt8.self, repeating: 0xff, count: bytes)
        let packed = PackedMatrix(
            data: memory.pointer, outputs: shape.outputs, inputs: shape.inputs, dtype: dtype, kind: order,
            format: .blocks(kind))
        let half = shape.outputs / 2
        file.withUnsafeBytes { file in
            for (first, count) in [(half, shape.outputs - half), (0, half)] {
                packed.pack(
                    blocks: file.baseAddress! + first * stride, stride: stride, first: first, count: count,
                    into: memory.pointer)
            }
        }
        var weights = [Float](repeating: 0, count: shape.outputs * shape.inputs)
        kind.dequantize(file, count: weights.count / kind.inputs, into: &weights)
        self.memory = memory
        self.file = file
        self.shape = shape
        self.kind = kind
        self.weights = weights
        matrix = packed
        x = TypedArray(random.floats(shape.rows * shape.inputs), dtype)
    }

    /// The product of rows `first ..< first + count`, each result row `stride` numbers after the one before.
    func run(_ compute: Compute, first: Int = 0, count: Int? = nil, stride: Int? = nil) -> [Float] {
        let rows = count ?? shape.rows
        var out = [Float](repeating: .nan, count: rows * (stride ?? shape.outputs))
        compute.matmul(
            x.pointer + first * shape.inputs * x.dtype.size, rows: rows, weights: matrix, into: &out, stride: stride)
        return out
    }

    /// The product in double precision, of activations rounded to int8 by group.
    func expected() -> [Double] {
        let floats = x.floats
        return (0..<shape.rows).flatMap { row in
            let rounded = stride(from: 0, to: shape.inputs, by: kind.group).flatMap { first -> [Double] in
                let start = row * shape.inputs + first
                let numbers = floats[start..<start + kind.group]
                let largest = numbers.map(\.magnitude).max() ?? 0
                return numbers.map { Double(($0 * (127 / largest)).rounded(.toNearestOrEven)) * Double(largest / 127) }
            }
            return (0..<shape.outputs).map { output in
                (0..<shape.inputs).reduce(0.0) { $0 + rounded[$1] * Double(weights[output * shape.inputs + $1]) }
            }
        }
    }
}

@Suite struct BlockMatMulTests {
    /// Outputs around blocks of 32, rows around tiles, columns of whole super-blocks; some larger than a cut of columns.
    private static let shapes: [ProductShape] = [
        .init(rows: 1, outputs: 2, inputs: 256), .init(rows: 3, outputs: 33, inputs: 512),
        .init(rows: 5, outputs: 64, inputs: 768), .init(rows: 16, outputs: 31, inputs: 256),
        .init(rows: 29, outputs: 70, inputs: 512), .init(rows: 26, outputs: 34, inputs: 2304),
    ]

    @Test(arguments: BlockKind.allCases) func packingChangesNoValue(kind: BlockKind) {
        for order in [PackedMatrix.Kind.plain, .gateUp] {
            let product = BlockProduct(ProductShape(rows: 1, outputs: 70, inputs: 512), kind, order: order)
            for row in 0..<70 {
                var found = [Float](repeating: .nan, count: 512)
                product.matrix.unpackRow(row, into: &found)
                #expect(found == Array(product.weights[row * 512..<(row + 1) * 512]), "row \(row)")
            }
        }
    }

    @Test(arguments: BlockCase.all) func agreesWithWholeNumbersInDoublePrecision(kernel: BlockCase) {
        let compute = kernel.compute(threads: 2)
        for shape in Self.shapes {
            let product = BlockProduct(shape, kernel.kind)
            let expected = product.expected(), largest = expected.map(abs).max() ?? 0
            let worst = zip(product.run(compute), expected).map { abs(Double($0) - $1) }.max() ?? 0
            #expect(worst <= 2e-6 * largest * Double(shape.inputs).squareRoot(), "\(shape)")
        }
    }

    @Test(arguments: BlockCase.all) func everyLevelHasTheSameBits(kernel: BlockCase) {
        let compute = kernel.compute(threads: 2)
        for shape in Self.shapes {
            let product = BlockProduct(shape, kernel.kind, dtype: .bfloat16)
            #expect(bits(product.run(compute)) == bits(product.run(scalarCompute())), "\(shape)")
        }
    }

    @Test(arguments: BlockCase.all) func rowsHaveTheSameBitsInEveryCall(kernel: BlockCase) {
        let one = kernel.compute(threads: 1), three = kernel.compute(threads: 3)
        let shape = ProductShape(rows: 70, outputs: 97, inputs: 512)
        let product = BlockProduct(shape, kernel.kind, dtype: .bfloat16)
        let alone = (0..<shape.rows).flatMap { product.run(one, first: $0, count: 1) }
        for rows in Array(1...30) + [70] {
            for compute in [one, three] {
                #expect(bits(product.run(compute, count: rows)) == bits(alone.prefix(rows * shape.outputs)), "\(rows)")
            }
        }
    }

    @Test(arguments: BlockCase.all) func resultsMayLieInWiderRows(kernel: BlockCase) {
        let compute = kernel.compute(threads: 2)
        for rows in [1, 7, 40] {
            let product = BlockProduct(ProductShape(rows: rows, outputs: 33, inputs: 256), kernel.kind)
            let dense = product.run(compute), wide = product.run(compute, stride: 50)
            for row in 0..<rows {
                #expect(bits(wide[row * 50..<row * 50 + 33]) == bits(dense[row * 33..<row * 33 + 33]))
                let between = wide[row * 50 + 33..<row * 50 + 50].allSatisfy { $0.isNaN }
                #expect(between, "nothing is written between rows")
            }
        }
    }

    /// Both forms hold the same numbers, and their sums are added in the same order.
    @Test(arguments: BlockCase.all.filter { [.q4_0, .q4_1].contains($0.kind) })
    func fourBitBlocksHaveTheBitsOfInt4Groups(kernel: BlockCase) throws {
        let compute = kernel.compute(threads: 2)
        for shape in Self.shapes {
            let product = BlockProduct(shape, kernel.kind, dtype: .bfloat16)
            let format = WeightFormat.int4(group: 32)
            let memory = try #require(
                AlignedBuffer(
                    byteCount: PackedMatrix.byteCount(
                        outputs: shape.outputs, inputs: shape.inputs, dtype: .bfloat16, format: format)))
            let matrix = PackedMatrix(
                data: memory.pointer, outputs: shape.outputs, inputs: shape.inputs, dtype: .bfloat16, format: format)
            let blocks = stride(from: 0, to: product.file.count, by: kernel.kind.layout.bytes).map {
                Array(product.file[$0..<$0 + kernel.kind.layout.bytes])
            }
            func half(_ block: [UInt8], _ at: Int) -> Float {
                Float(Float16(bitPattern: UInt16(block[at]) | UInt16(block[at + 1]) << 8))
            }
            let codes = blocks.flatMap { $0.suffix(16).map { $0 & 15 } + $0.suffix(16).map { $0 >> 4 } }
            let scales = blocks.map { half($0, 0) }
            let minimums = blocks.map { kernel.kind == .q4_0 ? -8 * half($0, 0) : half($0, 2) }
            codes.withUnsafeBufferPointer { codes in
                scales.withUnsafeBufferPointer { scales in
                    minimums.withUnsafeBufferPointer { minimums in
                        let rows = QuantizedRows(
                            codes: codes.baseAddress!, scales: scales.baseAddress!, minimums: minimums.baseAddress!)
                        matrix.pack(codes: rows, first: 0, count: shape.outputs, into: memory.pointer)
                    }
                }
            }
            var found = [Float](repeating: .nan, count: shape.rows * shape.outputs)
            compute.matmul(product.x.pointer, rows: shape.rows, weights: matrix, into: &found)
            #expect(bits(product.run(compute)) == bits(found), "\(shape)")
        }
    }

    @Test(arguments: BlockCase.all) func gateUpIsSiluTimesUp(kernel: BlockCase) {
        let compute = kernel.compute(threads: 2)
        for shape in [ProductShape(rows: 2, outputs: 34, inputs: 256), .init(rows: 40, outputs: 96, inputs: 512)] {
            let product = BlockProduct(shape, kernel.kind, order: .gateUp), width = shape.outputs / 2
            let sums = product.expected(), largest = sums.map(abs).max() ?? 0
            let out = TypedArray(zeros: shape.rows * width, .float32)
            compute.gateUp(product.x.pointer, rows: shape.rows, weights: product.matrix, into: out.pointer)
            for (i, found) in out.floats.enumerated() {
                let gate = sums[i / width * shape.outputs + i % width]
                let up = sums[i / width * shape.outputs + width + i % width]
                let expected = gate / (1 + exponential(-gate)) * up
                #expect(abs(Double(found) - expected) <= 1e-4 * (1 + largest) * (1 + abs(up)))
            }
        }
    }
}
