import Values

/// The tensors of a checkpoint that a network took, by the names under which it asked for them.
struct WeightNames: Sendable {
    /// A tensor, and the row scales of one that is stored as int8.
    struct Entry: Sendable {
        let tensor: TensorInfo
        let scale: TensorInfo?
    }

    private var entries: [String: Entry] = [:]

    /// Takes note of a tensor.
    mutating func add(_ name: String, _ tensor: TensorInfo, scale: TensorInfo?) {
        entries[name] = Entry(tensor: tensor, scale: scale)
    }

    /// Gives a tensor a second name.
    mutating func alias(_ name: String, of tensor: String) { entries[name] = entries[tensor] }

    /// The tensor with this name.
    subscript(name: String) -> Entry? { entries[name] }
}

/// The first rows of a tensor.
package struct WeightRows: Sendable, Equatable {
    /// Dimensions, slowest first; the first is how many rows were read.
    package let shape: [Int]
    /// The numbers, row by row.
    package let values: [Float]
}

/// Where a model's weights were read, so that single tensors can be read again.
///
/// They are read from the checkpoint and not from the packed form: that holds a rank's part only, rounded to the model's
/// type, with queries, keys and values in one; the file has what its owner compares with. It is opened anew and must be the
/// one that was loaded.
struct WeightOrigin: Sendable {
    let path: String
    let format: LoadFormat
    let stored: StoredQuantization?
    let identity: CheckpointIdentity
    let names: WeightNames
    /// A file that was read with it.
    var head: HeadFile?

    /// Up to `rows` first rows of a tensor as float32; nil when the network has none of that name.
    func read(_ name: String, rows: Int) throws(CheckpointError) -> WeightRows? {
        guard let entry = names[name] else { return nil }
        let checkpoint = try openCheckpoint(path, format, stored, head: head)
        guard checkpoint.identity == identity else {
            throw .unreadable(path: path, reason: "has changed since its weights were loaded")
        }
        let stored = (checkpoint as? TurnedCheckpoint)?.files
        let tensor = BoundTensor(
            checkpoint: stored ?? checkpoint, info: stored?.tensors[entry.tensor.name] ?? entry.tensor)
        let count = min(max(rows, 0), tensor.rowCount)
        var shape = tensor.shape
        if !shape.isEmpty { shape[0] = count }
        guard let scale = entry.scale else {
            return WeightRows(shape: shape, values: try tensor.read(0..<count))
        }
        let scales = try BoundTensor(checkpoint: checkpoint, info: scale).read(0..<count)
        let codes = try tensor.readCodes(0..<count)
        let width = tensor.rowElements
        return WeightRows(shape: shape, values: codes.indices.map { Float(codes[$0]) * scales[$0 / width] })
    }
}
