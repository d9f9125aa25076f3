/// What can be wrong with a model folder, its weights or its configuration; every description is one line that names
/// file and place.
package enum CheckpointError: Error, Equatable, Sendable, CustomStringConvertible {
    /// A file or folder could not be opened, measured or mapped.
    case unreadable(path: String, reason: String)
    /// The folder holds no weights of a readable format.
    case noWeights(path: String)
    /// The index names shard files that do not exist.
    case missingShards(index: String, names: [String])
    /// The bytes of a file contradict its format; `place` is a tensor, a key or a byte offset.
    case malformed(file: String, place: String, reason: String)
    /// The file is well formed, but uses something this reader does not know.
    case unsupported(file: String, place: String, reason: String)
    /// A value of a configuration file is absent, of the wrong type or out of range.
    case badConfig(file: String, key: String, reason: String)
    /// The configuration asks for an architecture that no model here implements.
    case unsupportedArchitecture(file: String, name: String, supported: [String])
    /// The model needs tensors that the checkpoint does not have.
    case missingTensors(path: String, names: [String])
    /// The checkpoint has tensors that the model does not use.
    case leftOverTensors(path: String, names: [String])
    /// A tensor has another shape than the configuration implies.
    case shapeMismatch(file: String, tensor: String, expected: [Int], found: [Int])
    /// A read asked for rows that the tensor does not have.
    case rowsOutOfRange(tensor: String, rows: Range<Int>, rowCount: Int)
    /// Memory could not be had; `purpose` says what for, with the flags that make it smaller.
    case outOfMemory(purpose: String, byteCount: Int)
    /// The packed weights have no section of that name and size.
    case badSections(reason: String)

    /// One line for the log and the operator.
    package var description: String {
        switch self {
        case .unreadable(let path, let reason):
            return "\(printable(path)): \(reason)"
        case .noWeights(let path):
            return "Cannot find any model weights with `\(printable(path))`"
        case .missingShards(let index, let names):
            return "\(printable(index)) references \(names.count) shard file(s) missing from the model folder "
                + "(incomplete download?): \(listed(names))"
        case .malformed(let file, let place, let reason), .unsupported(let file, let place, let reason):
            return "\(printable(file)): \(place): \(reason)"
        case .badConfig(let file, let key, let reason):
            return "\(printable(file)): key `\(printable(key))`: \(reason)"
        case .unsupportedArchitecture(let file, let name, let supported):
            return "\(printable(file)): architecture `\(printable(name))` is not supported; supported: "
                + supported.joined(separator: ", ")
        case .missingTensors(let path, let names):
            return "\(printable(path)): \(names.count) tensor(s) missing: \(listed(names))"
        case .leftOverTensors(let path, let names):
            return "\(printable(path)): \(names.count) tensor(s) unknown to the model: \(listed(names))"
        case .shapeMismatch(let file, let tensor, let expected, let found):
            return
                "\(printable(file)): `\(printable(tensor))` has shape \(found), the configuration implies \(expected)"
        case .rowsOutOfRange(let tensor, let rows, let rowCount):
            return "tensor `\(printable(tensor))`: rows \(rows) asked of \(rowCount)"
        case .outOfMemory(let purpose, let byteCount):
            return "Out of memory: \(max(1, byteCount >> 20)) MiB for \(purpose) are not to be had"
        case .badSections(let reason):
            return "packed weights: \(reason)"
        }
    }
}

/// The text with control characters escaped and its length bounded, so that a hostile name cannot forge log lines.
func printable(_ text: String) -> String {
    let limit = 300
    var result = ""
    var count = 0
    for scalar in text.unicodeScalars {
        if count == limit { return result + "…" }
        count += 1
        let isControl = scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value)
        let breaksLine = scalar.value == 0x2028 || scalar.value == 0x2029
        result += isControl || breaksLine ? "\\u{\(String(scalar.value, radix: 16))}" : String(scalar)
    }
    return result
}

/// Up to twenty names, then how many more there are.
func listed(_ names: [String]) -> String {
    let shown = names.prefix(20).map(printable).joined(separator: ", ")
    return names.count > 20 ? "\(shown) and \(names.count - 20) more" : shown
}
