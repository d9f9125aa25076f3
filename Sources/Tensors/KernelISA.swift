internal import CKernels
package import Values

extension KernelISA {
    /// The highest level that this processor and operating system support, at most `ceiling`.
    package static func detect(ceiling: KernelISA = .avx512bf16) -> KernelISA {
        KernelISA(kernel: kernels_detect(ceiling.kernel))
    }

    /// The same level as the C kernels name it.
    var kernel: kernels_isa {
        switch self {
        case .scalar: KERNELS_SCALAR
        case .avx2: KERNELS_AVX2
        case .avx512: KERNELS_AVX512
        case .avx512bf16: KERNELS_AVX512BF16
        }
    }

    /// The level that the C kernels name.
    init(kernel: kernels_isa) { self = Self.allCases.first { $0.kernel == kernel } ?? .scalar }
}
