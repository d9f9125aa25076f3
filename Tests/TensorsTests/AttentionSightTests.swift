import Tensors
import Testing
import Values

/// Rows that see behind themselves, through a window, and with a bias by distance.
@Suite struct AttentionSightTests {
    /// A window, of which nil is no limit.
    struct Window: Sendable, CustomTestStringConvertible {
        var before: Int?
        var after: Int?
        var testDescription: String { "\(before.map(String.init) ?? "all")…\(after.map(String.init) ?? "all")" }

        var sight: AttentionSight { AttentionSight(before: before, after: after) }

        func seen(from position: Int, of length: Int) -> Range<Int> {
            max(0, position - (before ?? length))..<min(length, position + (after ?? length) + 1)
        }

        static let all = [
            Window(), Window(before: 0, after: 0), Window(before: 12, after: 12), Window(before: 300, after: 5),
            Window(before: 40, after: 0), Window(before: nil, after: 260),
        ]
    }

    static let shapes = [
        AttentionHeads(query: 3, keyValue: 1, dimension: 16), AttentionHeads(query: 4, keyValue: 4, dimension: 24),
        AttentionHeads(query: 6, keyValue: 3, dimension: 64),
    ]

    @Test(arguments: CacheCase.all, Window.all) func matchesItsDefinition(kernel: CacheCase, window: Window) {
        let length = 530
        for (heads, threads) in zip(Self.shapes, [1, 2, 3]) {
            let step = AttentionStep(heads, length: length, dtype: kernel.dtype)
            let compute = Compute(isa: kernel.isa, threads: threads)
            let got = step.run(compute, chunks: [0..<length], sight: window.sight).floats
            for position in [0, 1, 30, 255, 256, 270, 511, 512, 529] {
                let expected = step.expected(position: position, seen: window.seen(from: position, of: length))
                let row = got[position * step.width..<(position + 1) * step.width]
                #expect(zip(row, expected).allSatisfy { abs(Double($0) - $1) <= 2e-6 }, "\(heads) position \(position)")
            }
        }
    }

    @Test(arguments: CacheCase.all) func aBiasByDistanceIsAdded(kernel: CacheCase) {
        let heads = AttentionHeads(query: 4, keyValue: 2, dimension: 16), length = 300, reach = 20
        let step = AttentionStep(heads, length: length, dtype: kernel.dtype)
        var random = SplitMix64(seed: 5)
        let bias = random.floats(heads.query * (2 * reach + 1), scale: 2)
        let got = bias.withUnsafeBufferPointer { numbers in
            var sight = AttentionSight.full
            sight.bias = (numbers.baseAddress!, reach)
            return step.run(Compute(isa: kernel.isa, threads: 2), chunks: [0..<length], sight: sight).floats
        }
        for position in [0, 19, 21, 150, 256, 299] {
            let expected = step.expected(position: position, seen: 0..<length) { head, other in
                let distance = min(reach, max(-reach, other - position))
                return Double(bias[head * (2 * reach + 1) + reach + distance])
            }
            let row = got[position * step.width..<(position + 1) * step.width]
            #expect(zip(row, expected).allSatisfy { abs(Double($0) - $1) <= 2e-6 }, "position \(position)")
        }
    }

    @Test(arguments: CacheCase.all, Window.all) func aRowHasTheSameBitsInAnyCompany(kernel: CacheCase, window: Window) {
        let heads = AttentionHeads(query: 6, keyValue: 2, dimension: 24), length = 400
        let step = AttentionStep(heads, length: length, dtype: kernel.dtype)
        let together = step.run(
            Compute(isa: kernel.isa, threads: 3), chunks: [0..<length, 0..<90, 0..<length], sight: window.sight)
        let alone = step.run(Compute(isa: kernel.isa, threads: 1), chunks: [0..<length], sight: window.sight)
        let short = step.run(Compute(isa: kernel.isa, threads: 2), chunks: [0..<90], sight: window.sight)
        let size = step.width * 4
        #expect(Array(together.bytes[..<(length * size)]) == alone.bytes)
        #expect(Array(together.bytes[(length * size)..<((length + 90) * size)]) == short.bytes)
        #expect(Array(together.bytes[((length + 90) * size)...]) == alone.bytes)
    }
}
