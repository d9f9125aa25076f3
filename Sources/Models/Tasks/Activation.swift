#if canImport(Glibc)
    import Glibc
#endif

/// A function of single numbers behind a product of a head.
enum Activation: Sendable, Equatable {
    case identity, tanh, relu, sigmoid, gelu, silu, selu

    /// The class of that name in PyTorch (`torch.nn.modules.activation.Tanh`) at a key; nil when the key is absent.
    init?(_ fields: ConfigFields, _ key: String) throws(CheckpointError) {
        guard let text = try fields.string(key) else { return nil }
        let name = text.split(separator: ".").last.map(String.init) ?? ""
        switch name {
        case "Identity": self = .identity
        case "Tanh": self = .tanh
        case "ReLU": self = .relu
        case "Sigmoid": self = .sigmoid
        case "GELU": self = .gelu
        case "SiLU": self = .silu
        case "SELU": self = .selu
        default:
            throw fields.error(
                key, "`\(printable(text))` is not supported; supported: Identity, Tanh, ReLU, Sigmoid, GELU, SiLU, SELU"
            )
        }
    }

    /// Its value.
    func callAsFunction(_ x: Float) -> Float {
        switch self {
        case .identity: x
        case .tanh: Float(Glibc.tanh(Double(x)))
        case .relu: max(x, 0)
        case .sigmoid: Float(1 / (1 + exp(-Double(x))))
        case .gelu: Float(Double(x) * 0.5 * (1 + erf(Double(x) * 0.5.squareRoot())))
        case .silu: Float(Double(x) / (1 + exp(-Double(x))))
        // Klambauer et al. 2017 (arXiv:1706.02515).
        case .selu:
            Float(1.050_700_987_355_480_5 * (x > 0 ? Double(x) : 1.673_263_242_354_377_3 * expm1(Double(x))))
        }
    }
}
