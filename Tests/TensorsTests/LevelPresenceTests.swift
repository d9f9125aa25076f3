import Tensors
import Testing
import Values

/// Kernel tests run over the levels that this machine has; a level that it lacks shows here as skipped, not as nothing.
@Suite struct LevelPresenceTests {
    private func isTested(_ level: KernelISA) -> Bool { KernelCase.all.contains { $0.isa == level } }

    @Test func scalarIsTested() { #expect(isTested(.scalar)) }

    @Test(.enabled(if: presentLevels.contains(.avx2), "this machine has no AVX2: its kernels go untested"))
    func avx2IsTested() { #expect(isTested(.avx2)) }

    @Test(.enabled(if: presentLevels.contains(.avx512), "this machine has no AVX-512: its kernels go untested"))
    func avx512IsTested() { #expect(isTested(.avx512)) }

    @Test(.enabled(if: presentLevels.contains(.avx512bf16), "this machine has no AVX512_BF16: its kernels go untested"))
    func avx512bf16IsTested() { #expect(isTested(.avx512bf16)) }
}
