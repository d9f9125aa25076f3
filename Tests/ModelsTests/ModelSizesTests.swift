import Models
import Tensors
import Testing
import Values

/// What a model takes is known from its plan, before a number is read.
@Suite struct ModelSizesTests {
    private func source(_ fixture: Fixture, _ dtype: DType, _ quantization: Quantization = .none) throws -> ModelSource
    {
        ModelSource(
            fixture.path, config: try ModelConfig.load(modelPath: fixture.path), dtype: dtype,
            quantization: quantization)
    }

    @Test(arguments: Fixture.all, [Quantization.none, .w8a8Int8, .int4(), .int4(groupSize: 32, headBits: 4)])
    func theBytesOfTheWeightsAreThoseThatLoadingTakes(_ fixture: Fixture, _ quantization: Quantization) throws {
        for dtype in [DType.float32, .bfloat16] {
            let sizes = try ModelSizes(try source(fixture, dtype, quantization))
            let model = try fixture.load(dtype: dtype, quantization: quantization)
            #expect(sizes.weightBytes == model.report.byteCount && sizes.bytesPerSlot == model.cacheBytesPerSlot)
        }
    }

    @Test func theSizesOfRanksAreSums() throws {
        let fixture = Fixture(name: "llama-untied")
        let sizes = try ModelSizes(try source(fixture, .float32), kvCacheDType: .int8, ranks: 2)
        let group = try RankGroup(fixture.path, size: 2, dtype: .float32, isa: .avx512bf16, limits: testLimits)
        #expect(sizes.weightBytes == group.weightBytes)
        // Two key-value heads of 16, one on each rank, in three layers: keys and values with a scale each.
        let (ranks, layers) = (2, 3)
        #expect(sizes.bytesPerSlot == 2 * ranks * layers * (16 + 4))
    }

    @Test(arguments: [(KVCacheDType.bfloat16, 2 * 24), (.float32, 4 * 24), (.int8, 24 + 4)])
    func aSlotHoldsKeysAndValuesOfEveryLayer(_ type: KVCacheDType, _ row: Int) throws {
        let sizes = try ModelSizes(try source(Fixture(name: "qwen3-tied"), .float32), kvCacheDType: type)
        let (layers, heads) = (2, 2)
        #expect(sizes.bytesPerSlot == 2 * layers * heads * row)
    }

    @Test func aRowReadsItsOwnExpertsAndNoTable() throws {
        let report = try Fixture(name: "mixtral").load(dtype: .float32).report
        let (layers, hidden, size, each) = (2, 40, 56, 2)
        let (queries, keysAndValues) = (4 * 16, 2 * 2 * 16)
        #expect(
            report.layerParameters
                == layers * (hidden * (2 * queries + keysAndValues) + each * 3 * hidden * size))
        func bytes(_ outputs: Int, _ inputs: Int, _ kind: PackedMatrix.Kind = .plain) -> Int {
            PackedMatrix.byteCount(outputs: outputs, inputs: inputs, dtype: .float32, kind: kind)
        }
        let attention = bytes(queries + keysAndValues, hidden) + bytes(hidden, queries)
        let expert = bytes(2 * size, hidden, .gateUp) + bytes(hidden, size)
        let (router, head) = (bytes(5, hidden), bytes(331, hidden))
        // Two norms a layer and the last one, each in whole cache lines.
        let norms = (2 * layers + 1) * 48 * MemoryLayout<Float>.size
        #expect(report.rowBytes == layers * (attention + each * expert + router) + head + norms)
        #expect(report.byteCount >= report.rowBytes + head + layers * 3 * expert)
    }
}
