#if canImport(Glibc)
    import Glibc
#endif

/// Safetensors whose stacks of experts have the inputs first, as gpt-oss has them where they are plain numbers: shown as other
/// checkpoints store them, `[experts][inputs][outputs]` as `[experts][outputs][inputs]`.
final class TurnedCheckpoint: Checkpoint {
    /// The folder or file it was opened with.
    var path: String { files.path }
    /// Every tensor by name, the stacks turned.
    let tensors: [String: TensorInfo]
    /// That of the files, with how they are read.
    let identity: CheckpointIdentity
    /// As of the files.
    var unreadable: [String: CheckpointError] { files.unreadable }
    /// As of the files.
    var toleratesExtraTensors: Bool { files.toleratesExtraTensors }
    /// As of the files.
    var warnings: [String] { files.warnings }
    /// False: only stored tensors exist.
    var inventsTensors: Bool { false }
    /// The same tensors as they are stored.
    let files: SafetensorsCheckpoint
    /// The stacks as they are stored, by name.
    private let stacks: [String: StoredBytes]

    /// Finds the stacks.
    init(_ files: SafetensorsCheckpoint) {
        self.files = files
        var tensors = files.tensors
        var stacks: [String: StoredBytes] = [:]
        for (name, info) in files.tensors
        where info.shape.count == 3 && info.type.isFloat && info.type.blockElements == 1
            && [".experts.gate_up_proj", ".experts.down_proj"].contains(where: name.hasSuffix)
        {
            let shape = [info.shape[0], info.shape[2], info.shape[1]]
            tensors[name] = TensorInfo(name: name, shape: shape, type: info.type, file: info.file)
            stacks[name] = files.bytes(of: info)
        }
        self.tensors = tensors
        self.stacks = stacks
        var identity = files.identity
        identity.headerHash = checksum64("\(identity.headerHash) turned")
        self.identity = identity
    }

    /// Nil: the tokenizer lies beside the weights in files of its own.
    func vocabulary() throws(CheckpointError) -> StoredVocabulary? { nil }

    /// See `Checkpoint`.
    func readRows(
        _ tensor: TensorInfo, rows: Range<Int>, into out: UnsafeMutablePointer<Float>
    ) throws(CheckpointError) {
        guard let stack = stacks[tensor.name], let own = tensors[tensor.name] else {
            return try files.readRows(tensor, rows: rows, into: out)
        }
        let view = try own.viewed(as: tensor.shape)
        try checkRead(view, rows)
        let count = rows.count * view.rowElements
        let stored = UnsafeMutableRawPointer.allocate(byteCount: max(1, count * own.type.blockBytes), alignment: 16)
        defer { stored.deallocate() }
        gather(stack, own, view, rows, into: stored)
        readElements(own.type, base: stored, range: 0..<count, into: out)
    }

    /// See `Checkpoint`.
    func readStoredRows(
        _ tensor: TensorInfo, rows: Range<Int>, into out: UnsafeMutableRawPointer
    ) throws(CheckpointError) {
        guard let stack = stacks[tensor.name], let own = tensors[tensor.name] else {
            return try files.readStoredRows(tensor, rows: rows, into: out)
        }
        let view = try own.viewed(as: tensor.shape)
        try checkRows(view, rows)
        gather(stack, own, view, rows, into: out)
    }

    /// Copies rows of a view of a turned stack: columns of what is stored. Neighbours among them lie in the same cache lines.
    private func gather(
        _ stack: StoredBytes, _ own: TensorInfo, _ view: TensorInfo, _ rows: Range<Int>,
        into out: UnsafeMutableRawPointer
    ) {
        let (outputs, inputs, size) = (own.shape[1], own.shape[2], own.type.blockBytes)
        precondition(view.rowElements % max(1, inputs) == 0, "a view of a stack has whole rows")
        guard inputs > 0, !rows.isEmpty else { return }
        let each = view.rowElements / inputs
        let base = stack.pointer
        var target = out
        for row in rows.lowerBound * each..<rows.upperBound * each {
            var source = base + (row / outputs * inputs * outputs + row % outputs) * size
            for _ in 0..<inputs {
                memcpy(target, source, size)
                target += size
                source += outputs * size
            }
        }
    }
}
