import Testing
import Values

@Suite struct KernelRatesTests {
    private func rates(_ figures: [(KernelISA, Double)], _ kind: ProductKind = .bfloat16) -> KernelRates {
        KernelRates(figures.map { .init(kind: kind, level: $0.0, rate: $0.1) })
    }

    @Test(arguments: [
        // Zen 4 and later, and Xeons with AMX: the dot product pays.
        ([(KernelISA.avx512bf16, 214.0), (.avx512, 110), (.avx2, 98)], KernelISA.avx512bf16),
        // A server with AVX512_BF16 whose dot product is a third as fast as its float32 units.
        ([(.avx512bf16, 59), (.avx512, 177), (.avx2, 95)], .avx512),
        // A tenth is what it takes, and no less.
        ([(.avx512bf16, 100), (.avx512, 110.1), (.avx2, 50)], .avx512),
        ([(.avx512bf16, 100), (.avx512, 109.9), (.avx2, 50)], .avx512bf16),
        // From each rung to the next one that is clearly faster.
        ([(.avx512bf16, 100), (.avx512, 150), (.avx2, 160)], .avx512),
        ([(.avx512bf16, 100), (.avx512, 150), (.avx2, 170)], .avx2),
        ([(.avx512bf16, 100), (.avx512, 109), (.avx2, 111)], .avx2),
        ([(.avx2, 90)], .avx2),
        // A figure that is none decides nothing.
        ([(.avx512bf16, 100), (.avx512, .infinity), (.avx2, .nan)], .avx512bf16),
        ([(.avx512bf16, 0), (.avx512, 50), (.avx2, -1)], .avx512),
    ])
    func theHighestRungIsTakenUnlessALowerOneIsClearlyFaster(figures: [(KernelISA, Double)], expected: KernelISA) {
        #expect(rates(figures).fastest(for: .bfloat16) == expected)
        #expect(rates(figures.reversed()).fastest(for: .bfloat16) == expected)
    }

    @Test func eachKindOfProductHasItsOwnRung() {
        let both = KernelRates(
            rates([(.avx512bf16, 59), (.avx512, 177)]).figures
                + rates([(.avx512bf16, 300), (.avx512, 300)], .int8).figures)
        #expect(both.fastest(for: .bfloat16) == .avx512)
        #expect(both.fastest(for: .int8) == .avx512bf16)
        #expect(both.fastest(for: .float32) == nil)
    }

    @Test func wordsNameEveryFigure() {
        #expect(
            rates([(.avx512, 176.6), (.avx512bf16, 59.4)]).comparison(for: .bfloat16)
                == "avx512bf16 59, avx512 177 GFLOP/s")
    }

    @Test func coverageIsOneSoundFigureOfEachKindOnEachRung() {
        let levels: [KernelISA] = [.avx2, .avx512]
        let all = ProductKind.allCases.flatMap { kind in
            levels.map { KernelRates.Figure(kind: kind, level: $0, rate: 10) }
        }
        #expect(KernelRates(all).covers(levels))
        #expect(!KernelRates(all).covers([.avx2, .avx512, .avx512bf16]))
        #expect(!KernelRates(all).covers([.avx2]))
        #expect(!KernelRates(Array(all.dropLast())).covers(levels))
        #expect(!KernelRates(all + all.prefix(1)).covers(levels))
        for rate in [0, -1, .nan, .infinity, 1e300] {
            let unsound = all.dropFirst() + [KernelRates.Figure(kind: .float32, level: .avx2, rate: rate)]
            #expect(!KernelRates(Array(unsound)).covers(levels))
        }
        #expect(!KernelRates(Array(repeating: all[0], count: all.count)).covers(levels))
    }
}
