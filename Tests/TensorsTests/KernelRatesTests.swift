import Tensors
import Testing
import Values

@Suite struct KernelRatesTests {
    @Test func everyRungOfThisMachineGetsAFigureForEveryKind() throws {
        let rates = try #require(KernelRates.measured())
        #expect(rates.covers(KernelRates.rungs))
    }

    @Test(.enabled(if: KernelRates.rungs.count > 1, "there is one rung only"))
    func aRungThatIsSlowIsNotTaken() throws {
        let highest = try #require(KernelRates.rungs.last)
        let rates = try #require(
            KernelRates.measured { kind, level in kind == .bfloat16 && level == highest ? 20 : 1 })
        let taken = try #require(rates.fastest(for: .bfloat16))
        #expect(taken < highest, "\(rates.comparison(for: .bfloat16))")
    }

    @Test func rungsStandAbovePlainCAndAreAscending() {
        #expect(!KernelRates.rungs.contains(.scalar))
        #expect(KernelRates.rungs == KernelRates.rungs.sorted())
        #expect(KernelRates.rungs.allSatisfy { Compute(isa: $0, threads: 1).isa == $0 })
    }

    @Test func productsOfQuantizedWeightsAreOfBytes() {
        #expect(DType.allCases.map { ProductKind($0, isQuantized: false) } == [.float32, .float16, .bfloat16])
        #expect(DType.allCases.allSatisfy { ProductKind($0, isQuantized: true) == .int8 })
    }
}
