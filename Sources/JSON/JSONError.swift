/// What is wrong with a JSON text, or with a JSON value that was asked to become a typed one.
package enum JSONError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The bytes are not JSON: `offset` is the first byte that cannot stand where it does (the length for a text that
    /// ends early).
    case syntax(offset: Int, reason: String)
    /// The JSON is well formed but does not fit the type: `path` is written as `messages[0].content`, empty for the
    /// root.
    case mismatch(path: String, reason: String)

    package var description: String {
        switch self {
        case .syntax(let offset, let reason): "\(reason) at byte \(offset)"
        case .mismatch(let path, let reason): path.isEmpty ? reason : "\(path): \(reason)"
        }
    }

    /// The reason without its place.
    package var reason: String {
        switch self {
        case .syntax(_, let reason), .mismatch(_, let reason): reason
        }
    }
}
