import Tensors
import Testing
import Values

@Suite struct KernelISATests {
    @Test func parsesEveryNameAndNothingElse() {
        for isa in KernelISA.allCases { #expect(KernelISA(name: isa.name) == isa) }
        #expect(KernelISA(name: "AVX512") == .avx512)
        #expect(KernelISA(name: "sse9") == nil)
    }

    @Test(arguments: KernelISA.allCases) func neverExceedsTheCeiling(ceiling: KernelISA) {
        #expect(KernelISA.detect(ceiling: ceiling) <= ceiling)
        #expect(Compute(isa: ceiling, threads: 1).isa == KernelISA.detect(ceiling: ceiling))
    }
}
