import Testing
import Values

/// Words of flags.
@Suite struct LaunchChoiceTests {
    @Test func everyWordIsItsChoice() {
        for choice in ModelDType.allCases { #expect(ModelDType(word: choice.rawValue) == choice) }
        for choice in KVCacheDType.allCases { #expect(KVCacheDType(word: choice.rawValue) == choice) }
        for level in KernelISA.allCases { #expect(KernelISA(name: level.name.uppercased()) == level) }
    }

    @Test func shortWordsMeanTheLongOnes() {
        #expect(ModelDType(word: "half") == .float16 && ModelDType(word: "float") == .float32)
        #expect(KVCacheDType(word: "bf16") == .bfloat16)
        #expect(ModelDType(word: "fp8") == nil && KVCacheDType(word: "") == nil && KernelISA(name: "sse9") == nil)
    }

    @Test func levelsAreOrderedByWhatTheyInclude() {
        #expect(KernelISA.allCases.sorted(by: >) == [.avx512bf16, .avx512, .avx2, .scalar])
    }
}
