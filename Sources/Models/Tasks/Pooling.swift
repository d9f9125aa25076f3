import Tensors
import Values

/// How the rows of a text become one.
enum Pooling: Sendable, Equatable {
    /// The last row, which has seen all others.
    case last
    /// The first row, where encoders have a token for the purpose.
    case first
    /// A number for each element, made of those of all rows.
    case rows(RowPooling)
    /// A number for each row, which go on as they are.
    case each

    /// Whether one row is enough.
    var isOneRow: Bool { self == .last || self == .first }

    /// It in the words of the flag and of sentence-transformers.
    var word: String {
        switch self {
        case .last: "last"
        case .first: "cls"
        case .rows(let pooling): "\(pooling)"
        case .each: "token"
        }
    }

    /// What a flag says; nil for `auto`.
    init?(_ type: PoolerType) {
        switch type {
        case .auto: return nil
        case .cls: self = .first
        case .mean: self = .rows(.mean)
        case .last: self = .last
        case .max: self = .rows(.max)
        }
    }

    /// The pooling of that name in sentence-transformers; nil for an unknown one.
    init?(sentenceTransformers name: String) {
        switch name {
        case "cls": self = .first
        case "lasttoken": self = .last
        case "mean": self = .rows(.mean)
        case "max": self = .rows(.max)
        case "mean_sqrt_len_tokens": self = .rows(.meanSquareRoot)
        case "weightedmean": self = .rows(.weightedMean)
        default: return nil
        }
    }
}
