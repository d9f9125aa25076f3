/// A level of the vector instruction ladder; each level includes the ones before it (`--kernel-isa`).
///
/// Results are bit-identical within one level, not between levels.
package enum KernelISA: String, Sendable, Codable, CaseIterable, Comparable {
    /// Plain C.
    case scalar
    /// AVX2 with FMA and F16C.
    case avx2
    /// AVX-512 F, BW, DQ and VL.
    case avx512
    /// AVX-512 with the BF16 dot product.
    case avx512bf16

    /// The level as it is written in flags, environment and logs.
    package var name: String { rawValue }

    /// The level of that name, in any letter case; nil for an unknown name.
    package init?(name: String) { self.init(rawValue: name.lowercased()) }

    package static func < (left: KernelISA, right: KernelISA) -> Bool { left.height < right.height }

    /// Place on the ladder, from the ground up.
    private var height: Int {
        switch self {
        case .scalar: 0
        case .avx2: 1
        case .avx512: 2
        case .avx512bf16: 3
        }
    }
}
