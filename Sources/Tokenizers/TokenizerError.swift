/// Why a tokenizer could not be built. `file` is a path as the caller gave it, `path` a JSON path or a GGUF key.
package enum TokenizerError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The file cannot be opened or read.
    case unreadable(file: String, reason: String)
    /// The file is not JSON.
    case notJSON(file: String, reason: String)
    /// A field is missing, has the wrong type, or contradicts another.
    case malformed(file: String, path: String, reason: String)
    /// A field asks for a component that does not exist here.
    case unsupported(file: String, path: String, feature: String)

    package var description: String {
        switch self {
        case .unreadable(let file, let reason): "\(file): \(reason)"
        case .notJSON(let file, let reason): "\(file): not JSON: \(reason)"
        case .malformed(let file, let path, let reason): "\(file): \(path.isEmpty ? "" : path + ": ")\(reason)"
        case .unsupported(let file, let path, let feature): "\(file): \(path): \(feature) is not supported"
        }
    }
}
