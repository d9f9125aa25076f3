/// Hands out the tensors of a checkpoint by name and keeps account, so that none is missing and none is left over.
///
/// Bind everything first, then call `finish()`, then read: a missing tensor is only noted while binding, so that the
/// error lists
/// them all. A wrong shape throws at once.
package final class WeightBinder {
    private let checkpoint: any Checkpoint
    private let tiedEmbeddings: Bool
    private var used: Set<String> = []
    private var missing: [String] = []

    /// Starts with nothing bound; with `tiedEmbeddings` a stored `lm_head.weight` counts as read.
    package init(_ checkpoint: any Checkpoint, tiedEmbeddings: Bool) {
        self.checkpoint = checkpoint
        self.tiedEmbeddings = tiedEmbeddings
    }

    /// Whether the checkpoint has the tensor, under any of the prefixes in use.
    package func contains(_ name: String) -> Bool {
        checkpoint.inventsTensors || resolve(name) != nil
    }

    /// Takes the tensor and checks its shape; an absent one is noted for `finish()`.
    package func bind(_ name: String, shape: [Int]) throws(CheckpointError) -> BoundTensor {
        if let tensor = try bindIfPresent(name, shape: shape) { return tensor }
        missing.append(name)
        return BoundTensor(
            checkpoint: checkpoint, info: TensorInfo(name: name, shape: shape, type: .float32, file: checkpoint.path))
    }

    /// Takes the tensor if the checkpoint has it, and checks its shape.
    package func bindIfPresent(_ name: String, shape: [Int]) throws(CheckpointError) -> BoundTensor? {
        precondition(checkedElementCount(shape) != nil, "the configuration bounds every size")
        if checkpoint.inventsTensors {
            let info = TensorInfo(name: name, shape: shape, type: .float32, file: checkpoint.path)
            return BoundTensor(checkpoint: checkpoint, info: info)
        }
        guard let info = resolve(name) else { return nil }
        guard info.shape == shape else {
            throw .shapeMismatch(file: info.file, tensor: info.name, expected: shape, found: info.shape)
        }
        used.insert(info.name)
        return BoundTensor(checkpoint: checkpoint, info: info)
    }

    /// Takes the row scales of an int8 tensor, `NAME_scale`, `[rows][1]` or `[rows]`; an absent one is noted.
    package func bindScale(of tensor: BoundTensor) throws(CheckpointError) -> BoundTensor {
        let name = tensor.name + "_scale"
        let flat = resolve(name)?.shape.count == 1
        return try bind(name, shape: flat ? [tensor.rowCount] : [tensor.rowCount, 1])
    }

    /// Throws the list of missing tensors, else the list of tensors that nobody took.
    ///
    /// Cached rotary tables and a tied `lm_head.weight` may be left over, and whatever `ignoring` accepts.
    package func finish(ignoring: (String) -> Bool = { _ in false }) throws(CheckpointError) {
        guard missing.isEmpty else {
            // One weight file is what is incomplete; with several, any of them might be.
            let files = Set(checkpoint.tensors.values.map(\.file))
            throw .missingTensors(path: files.count == 1 ? files.first! : checkpoint.path, names: missing)
        }
        var leftOver: [String] = []
        for name in checkpoint.tensors.keys where !used.contains(name) && !isSkipped(name) && !ignoring(name) {
            leftOver.append(name)
        }
        guard leftOver.isEmpty else { throw .leftOverTensors(path: checkpoint.path, names: leftOver.sorted()) }
    }

    /// Finds a tensor under its name, without `model.` (embedding checkpoints) or inside a multimodal model's text
    /// part.
    private func resolve(_ name: String) -> TensorInfo? {
        if let info = checkpoint.tensors[name] { return info }
        if let info = checkpoint.tensors["language_model." + name] { return info }
        guard name.hasPrefix("model.") else { return nil }
        let bare = String(name.dropFirst("model.".count))
        return checkpoint.tensors[bare] ?? checkpoint.tensors["model.language_model." + bare]
    }

    /// Whether a tensor may stay unused.
    private func isSkipped(_ name: String) -> Bool {
        let cached = ["rotary_emb.inv_freq", "rotary_emb.cos_cached", "rotary_emb.sin_cached"]
        if cached.contains(where: { name.contains($0) }) { return true }
        return tiedEmbeddings && (name == "lm_head.weight" || name.hasSuffix(".lm_head.weight"))
    }
}

/// A tensor that a model has taken; keeps its checkpoint mapped.
package struct BoundTensor: Sendable {
    /// Where the numbers are.
    let checkpoint: any Checkpoint
    /// Which tensor it is.
    let info: TensorInfo

    /// The name in the checkpoint.
    package var name: String { info.name }
    /// How the numbers are stored.
    package var type: WeightType { info.type }
    /// Dimensions, slowest first.
    package var shape: [Int] { info.shape }
    /// Size of dimension 0.
    package var rowCount: Int { info.rowCount }
    /// Numbers in a row; 1 for a vector.
    package var rowElements: Int { info.rowElements }

    /// Reads rows as float32, `rows.count * rowElements` numbers; safe from several threads at once.
    package func readRows(_ rows: Range<Int>, into out: UnsafeMutablePointer<Float>) throws(CheckpointError) {
        try checkpoint.readRows(info, rows: rows, into: out)
    }

    /// Reads the whole tensor; for norms and biases.
    package func readAll() throws(CheckpointError) -> [Float] {
        var failure: CheckpointError?
        let numbers = [Float](unsafeUninitializedCapacity: info.elementCount) { buffer, count in
            guard let base = buffer.baseAddress, info.elementCount > 0 else { return }
            do throws(CheckpointError) {
                try checkpoint.readRows(info, rows: 0..<info.rowCount, into: base)
                count = info.elementCount
            } catch {
                failure = error
            }
        }
        if let failure { throw failure }
        return numbers
    }
}
