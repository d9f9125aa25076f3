/// Hands out the tensors of a checkpoint by name and keeps account, so that none is missing and none is left over.
///
/// Bind everything first, then call `finish()`, then read: a missing tensor is only noted while binding, so that the error
/// lists them all. A wrong shape throws at once.
package final class WeightBinder {
    private let checkpoint: any Checkpoint
    private let ignoresHead: Bool
    private var used: Set<String> = []
    private var missing: [String] = []
    private var passedOver: [String] = []

    /// Starts with nothing bound; with `ignoresHead` a stored `lm_head.weight` counts as read.
    package init(_ checkpoint: any Checkpoint, ignoresHead: Bool) {
        self.checkpoint = checkpoint
        self.ignoresHead = ignoresHead
    }

    /// Says that nobody misses the tensors below these prefixes, under any of their spellings.
    func passOver(_ prefixes: [String]) { passedOver += prefixes.flatMap(spellings) }

    /// Whether the checkpoint has the tensor, under any of the prefixes in use.
    package func contains(_ name: String) -> Bool {
        checkpoint.inventsTensors || resolve(name) != nil
    }

    /// The shape of a stored tensor, under any of the prefixes in use; nil where there is none.
    func shape(of name: String) -> [Int]? { resolve(name)?.shape }

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

    /// Throws the list of missing tensors; returns, as the error it may be, the list of tensors that nobody took.
    ///
    /// Cached rotary tables and a tied `lm_head.weight` are never missed by anybody.
    package func finish() throws(CheckpointError) -> CheckpointError? {
        guard missing.isEmpty else {
            for name in missing.flatMap(spellings) { if let reason = checkpoint.unreadable[name] { throw reason } }
            // One weight file is what is incomplete; with several, any of them might be.
            let files = Set(checkpoint.tensors.values.map(\.file))
            throw .missingTensors(path: files.count == 1 ? files.first! : checkpoint.path, names: missing)
        }
        let leftOver = checkpoint.tensors.keys.filter { !used.contains($0) && !isSkipped($0) }
        return leftOver.isEmpty ? nil : .leftOverTensors(path: checkpoint.path, names: leftOver.sorted())
    }

    /// Finds a tensor under any of its names.
    private func resolve(_ name: String) -> TensorInfo? {
        for name in spellings(name) { if let info = checkpoint.tensors[name] { return info } }
        return nil
    }

    /// A tensor's name, alone, inside a multimodal model's text part, or without `model.` (embedding checkpoints).
    private func spellings(_ name: String) -> [String] {
        guard name.hasPrefix("model.") else { return [name, "language_model." + name] }
        let bare = String(name.dropFirst("model.".count))
        return [name, "language_model." + name, bare, "model.language_model." + bare]
    }

    /// Whether a tensor may stay unused.
    private func isSkipped(_ name: String) -> Bool {
        let cached = ["rotary_emb.inv_freq", "rotary_emb.cos_cached", "rotary_emb.sin_cached"]
        if cached.contains(where: { name.contains($0) }) { return true }
        if passedOver.contains(where: { name.hasPrefix($0) }) || name.hasSuffix("embeddings.position_ids") {
            return true
        }
        return ignoresHead && (name == "lm_head.weight" || name.hasSuffix(".lm_head.weight"))
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
    /// The input of each number of a stored row; nil where they come in order.
    package var inputOrder: [Int32]? { info.inputOrder?.inputs }
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

    /// Reads rows as float32.
    package func read(_ rows: Range<Int>) throws(CheckpointError) -> [Float] {
        var failure: CheckpointError?
        let numbers = [Float](unsafeUninitializedCapacity: rows.count * rowElements) { buffer, count in
            guard let base = buffer.baseAddress, rows.count * rowElements > 0 else { return }
            do throws(CheckpointError) {
                try readRows(rows, into: base)
                count = rows.count * rowElements
            } catch {
                failure = error
            }
        }
        if let failure { throw failure }
        return numbers
    }

    /// Reads rows of an int8 tensor as they are stored.
    func readCodes(_ rows: Range<Int>) throws(CheckpointError) -> [Int8] {
        var codes = [Int8](repeating: 0, count: rows.count * rowElements)
        var failure: CheckpointError?
        codes.withUnsafeMutableBytes { bytes in
            guard let base = bytes.baseAddress else { return }
            do throws(CheckpointError) {
                try checkpoint.readStoredRows(info, rows: rows, into: base)
            } catch {
                failure = error
            }
        }
        if let failure { throw failure }
        return codes
    }
}
