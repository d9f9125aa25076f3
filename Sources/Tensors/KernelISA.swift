import CKernels

/// A level of the vector instruction ladder; each level includes the ones before it.
///
/// Results are bit-identical within one level, not between levels.
package enum KernelISA: UInt8, Sendable, CaseIterable, Comparable {
    case scalar = 0
    /// AVX2 with FMA and F16C.
    case avx2 = 1
    /// AVX-512 F, BW, DQ and VL.
    case avx512 = 2
    /// AVX-512 with the BF16 dot product.
    case avx512bf16 = 3

    /// The level as it is written in flags, environment and logs.
    package var name: String {
        switch self {
        case .scalar: "scalar"
        case .avx2: "avx2"
        case .avx512: "avx512"
        case .avx512bf16: "avx512bf16"
        }
    }

    /// The level of that name, in any letter case; nil for an unknown name.
    package init?(name: String) {
        let wanted = name.lowercased()
        guard let level = Self.allCases.first(where: { $0.name == wanted }) else { return nil }
        self = level
    }

    /// The highest level that this processor and operating system support, at most `ceiling`.
    package static func detect(ceiling: KernelISA = .avx512bf16) -> KernelISA {
        KernelISA(kernel: kernels_detect(ceiling.kernel))
    }

    package static func < (left: KernelISA, right: KernelISA) -> Bool { left.rawValue < right.rawValue }

    /// The same level as the C kernels name it.
    var kernel: kernels_isa { kernels_isa(rawValue: UInt32(rawValue)) }

    /// The level that the C kernels name.
    init(kernel: kernels_isa) { self = KernelISA(rawValue: UInt8(kernel.rawValue)) ?? .scalar }
}
