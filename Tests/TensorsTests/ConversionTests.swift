import Tensors
import Testing
import Values

@Suite struct ConversionTests {
    /// Values around rounding boundaries: ties, carries, subnormals, overflow, infinities, NaNs; then random bits.
    private static let hard: [Float] = {
        var words: [UInt32] = [
            0, 1, 0x7fffff, 0x800000, 0x3300_0000, 0x3300_0001, 0x387f_e000, 0x387f_f000, 0x3880_0000,
            0x477f_e000, 0x477f_efff, 0x477f_f000, 0x7f7f_ffff, 0x7f80_0000, 0x7f80_0001, 0x7fc0_0000, 0x7fff_ffff,
        ]
        for tie in [UInt32(0x3f80_8000), 0x3f81_8000, 0x3f80_1000, 0x3f80_3000, 0x3380_0000, 0x3500_0800] {
            words += [tie - 1, tie, tie + 1]
        }
        words += words.map { $0 | 0x8000_0000 }
        var random = SplitMix64(seed: 6)
        words += (0..<20011).map { _ in UInt32.random(in: 0...UInt32.max, using: &random) }
        return words.map { Float(bitPattern: $0) }
    }()

    private func halves(_ compute: Compute, _ values: [Float], _ dtype: DType) -> [UInt16] {
        var out = [UInt16](repeating: 0, count: values.count)
        compute.convert(values, count: values.count, to: dtype, into: &out)
        return out
    }

    @Test(arguments: presentLevels) func bfloat16RoundsToNearestEven(isa: KernelISA) {
        let out = halves(Compute(isa: isa, threads: 2), Self.hard, .bfloat16)
        #expect(out == Self.hard.map { BFloat16($0).bits })
        for (value, rounded) in zip(Self.hard, out) {
            #expect(value.isNaN == BFloat16(bits: rounded).float.isNaN)
        }
    }

    @Test(arguments: presentLevels) func float16RoundsToNearestEven(isa: KernelISA) {
        let out = halves(Compute(isa: isa, threads: 2), Self.hard, .float16)
        for (value, half) in zip(Self.hard, out) {
            if value.isNaN {
                #expect(Float16(bitPattern: half).isNaN)
            } else {
                #expect(half == Float16(value).bitPattern, "\(value)")
            }
        }
    }

    @Test(arguments: presentLevels) func everyHalfExpandsExactly(isa: KernelISA) {
        let all = (0...UInt16.max).map { $0 }
        let compute = Compute(isa: isa, threads: 2)
        var out = [Float](repeating: 0, count: all.count)
        compute.convert(all, from: .bfloat16, count: all.count, into: &out)
        #expect(bits(out) == all.map { UInt32($0) << 16 })
        compute.convert(all, from: .float16, count: all.count, into: &out)
        for (half, value) in zip(all, out) {
            let expected = Float(Float16(bitPattern: half))
            #expect(expected.isNaN ? value.isNaN : value.bitPattern == expected.bitPattern)
        }
    }

    @Test(arguments: KernelCase.all) func everyLengthWritesJustItsElements(kernel: KernelCase) {
        var random = SplitMix64(seed: 7)
        let compute = Compute(isa: kernel.isa, threads: 1)
        let values = random.floats(70), rounded = TypedArray(values, kernel.dtype)
        for count in 0...66 {
            let out = TypedArray(zeros: 70, kernel.dtype)
            compute.convert(values, count: count, to: kernel.dtype, into: out.pointer)
            #expect(out.floats == Array(rounded.floats.prefix(count)) + [Float](repeating: 0, count: 70 - count))
            var back = [Float](repeating: 9, count: 70)
            compute.convert(UnsafeRawPointer(rounded.pointer), from: kernel.dtype, count: count, into: &back)
            #expect(back == Array(rounded.floats.prefix(count)) + [Float](repeating: 9, count: 70 - count))
        }
    }
}
