import Tensors

/// Collects what a network wants while its layers are built: tensors to pack, working memory, caches, rotary tables.
///
/// Building a network and loading it are two steps because the packed file's layout depends on the whole list, and because
/// what a model takes must be known before anything is read.
final class ModelPlan {
    /// A slice and the tensor it is cut from.
    struct Piece {
        let tensor: BoundTensor
        let slice: TensorSlice
        /// Row scales of a matrix that the checkpoint stores as int8.
        let scale: BoundTensor?
    }

    /// A matrix to pack, or several of one shape: slices stacked by rows for each.
    struct Matrix {
        let shape: WeightLayout.Matrix
        let role: MatrixRole
        let pieces: [[Piece]]
    }

    /// A vector to copy: slices joined; an absent one (`isKept` false) only has its names checked.
    struct Vector {
        let pieces: [Piece]
        let offset: Int
        /// What is added to its numbers.
        let addend: Float
    }

    /// What the checkpoint says about the network.
    let config: ModelConfig
    /// Type of activations, and of the packed numbers that are not quantized.
    let dtype: DType
    /// How weights are rounded.
    let quantization: Quantization
    /// What this rank holds.
    let shard: ShardPlan
    /// Path of the model, for errors.
    let modelPath: String
    /// Whether the answers are tokens' logits, for which a tied table of token vectors is the head.
    let answersTokens: Bool
    private let binder: WeightBinder
    private(set) var matrices: [Matrix] = []
    private(set) var vectors: [Vector] = []
    /// Float32 elements of all the vectors, each rounded up to a cache line.
    private(set) var vectorElements = 0
    /// Working memory of all layers.
    private(set) var scratch = ScratchPlan()
    /// What each layer keeps for every slot.
    private(set) var caches: [KeyValueShape] = []
    /// The kinds of rotation that layers use, each once.
    private(set) var ropes: [RopeConfig] = []
    /// The layers that choose experts.
    private(set) var routings: [RoutingShape] = []
    /// The tensors by the names under which the network asked for them.
    private(set) var names = WeightNames()
    /// How many tensors of each type are stored in blocks that the packed form does not keep.
    private(set) var unpacked: [WeightType: Int] = [:]

    /// An empty plan over a checkpoint.
    init(_ source: ModelSource, _ binder: WeightBinder, shard: ShardPlan, answersTokens: Bool) {
        self.answersTokens = answersTokens
        self.binder = binder
        config = source.config
        dtype = source.dtype
        quantization = source.quantization
        modelPath = source.path
        self.shard = shard
    }

    /// Plans a matrix of slices stacked by rows, all of one width; throws when a tensor has another shape.
    func matrix(
        _ name: String, _ slices: [TensorSlice], kind: PackedMatrix.Kind = .plain, role: MatrixRole = .layer
    ) throws(CheckpointError) -> MatrixID {
        try matrices(name, [slices], kind: kind, role: role)
    }

    /// Plans matrices of one shape that lie behind each other in packed form, each of slices stacked by rows.
    func matrices(
        _ name: String, _ stacks: [[TensorSlice]], kind: PackedMatrix.Kind = .plain, role: MatrixRole = .layer
    ) throws(CheckpointError) -> MatrixID {
        var pieces: [[Piece]] = []
        for slices in stacks { pieces.append(try bind(slices)) }
        let inputs = stacks[0].first?.columns.count ?? 0
        let outputs = stacks[0].reduce(0) { $0 + $1.height }
        precondition(stacks.joined().allSatisfy { $0.columns.count == inputs }, "stacked slices have one width")
        precondition(stacks.allSatisfy { $0.reduce(0) { $0 + $1.height } == outputs }, "matrices have one height")
        let isOrdered = hasOrder(pieces, role)
        let format = try quantization.format(
            of: role,
            pieces.joined().map { piece in
                let isLost = piece.tensor.info.inputOrder != nil && !isOrdered
                return (isLost ? .float32 : piece.tensor.type, piece.slice.columns, piece.tensor.info.scaleGroup)
            }, modelPath: modelPath)
        if quantization == .stored, format == .plain {
            for piece in pieces.joined() where piece.tensor.type.blockElements > 1 || piece.tensor.type == .scaledFloat8
            {
                unpacked[piece.tensor.type, default: 0] += 1
            }
        }
        let shape = WeightLayout.Matrix(
            name: name, outputs: outputs, inputs: inputs, kind: kind, format: format,
            dtype: role == .router ? .float32 : dtype, count: stacks.count, isOrdered: isOrdered && format != .plain)
        matrices.append(Matrix(shape: shape, role: role, pieces: pieces))
        return MatrixID(index: matrices.count - 1)
    }

    /// Whether stacked tensors keep their bits in an order of their inputs, which each of the matrices has once: of whole rows.
    private func hasOrder(_ pieces: [[Piece]], _ role: MatrixRole) -> Bool {
        guard quantization == .stored, role == .layer else { return false }
        return pieces.allSatisfy { stack in
            guard let order = stack.first?.tensor.info.inputOrder else { return false }
            return stack.allSatisfy {
                $0.tensor.info.inputOrder == order && $0.slice.columns == 0..<$0.tensor.rowElements
            }
        }
    }

    /// The slices in runs that are stored alike, so that each run can keep its bits; one run where all are rounded anew.
    func runs(of slices: [TensorSlice]) throws(CheckpointError) -> [[TensorSlice]] {
        guard quantization == .stored else { return [slices] }
        var runs: [(info: TensorInfo?, slices: [TensorSlice])] = []
        for slice in slices {
            let info = try binder.bindIfPresent(slice.name, shape: slice.stored ?? slice.shape)?.info
            if let last = runs.last, last.info?.type == info?.type, last.info?.inputOrder == info?.inputOrder {
                runs[runs.count - 1].slices.append(slice)
            } else {
                runs.append((info, [slice]))
            }
        }
        return runs.map(\.slices)
    }

    /// Plans a float32 vector of slices joined, with `addend` added to each number; with `isKept` false this rank only checks
    /// that the tensors exist.
    func vector(
        _ name: String, _ slices: [TensorSlice], addend: Float = 0, isKept: Bool = true
    ) throws(CheckpointError) -> VectorID {
        let pieces = try bind(slices)
        guard isKept else { return VectorID(offset: nil) }
        let offset = vectorElements
        vectors.append(Vector(pieces: pieces, offset: offset, addend: addend))
        let count = slices.reduce(0) { $0 + $1.height * $1.columns.count }
        vectorElements += (count + 15) / 16 * 16
        return VectorID(offset: offset)
    }

    /// Makes room in the working memory for so many float32 numbers of every row.
    func reserve(_ area: ScratchArea, floats: Int) { scratch.reserve(area, bytes: floats * MemoryLayout<Float>.size) }

    /// Makes room in the working memory for so many numbers of the model's type of every row.
    func reserve(_ area: ScratchArea, numbers: Int) { scratch.reserve(area, bytes: numbers * dtype.size) }

    /// Plans a layer's cache.
    func cache(_ shape: KeyValueShape) -> CacheID {
        caches.append(shape)
        return CacheID(index: caches.count - 1)
    }

    /// Plans one cache for all layers of an encoder, which need keys and values only while they run.
    func sharedCache(_ heads: AttentionHeads) throws(CheckpointError) -> CacheID {
        let parts = try shard.heads(heads, modelPath: modelPath)
        return cache(KeyValueShape(heads: parts.keyValue.count, dimension: heads.dimension))
    }

    /// Plans a layer that chooses experts; all of a network choose alike.
    func routing(_ shape: RoutingShape) -> RoutingID {
        let first = routings.first ?? shape
        precondition(shape.experts == first.experts && shape.each == first.each, "layers of experts are alike")
        routings.append(shape)
        return RoutingID(index: routings.count - 1)
    }

    /// Plans the tables of a kind of rotation; equal kinds share them.
    func rotary(_ rope: RopeConfig) -> RotaryID {
        if let index = ropes.firstIndex(of: rope) { return RotaryID(index: index) }
        ropes.append(rope)
        return RotaryID(index: ropes.count - 1)
    }

    /// Gives a tensor a second name under which it can be asked for.
    func alias(_ name: String, of tensor: String) { names.alias(name, of: tensor) }

    /// Whether the checkpoint has a tensor, for parts that a network may have or not.
    func has(_ name: String) -> Bool { binder.contains(name) }

    /// The shape of a tensor in the checkpoint; nil where it has none of that name.
    func shape(of name: String) -> [Int]? { binder.shape(of: name) }

    /// Says that tensors below these prefixes may be there and are not needed.
    func passOver(_ prefixes: String...) { binder.passOver(prefixes) }

    private func bind(_ slices: [TensorSlice]) throws(CheckpointError) -> [Piece] {
        var pieces: [Piece] = []
        for slice in slices {
            let stored = try binder.bind(slice.name, shape: slice.stored ?? slice.shape)
            let tensor = BoundTensor(checkpoint: stored.checkpoint, info: try stored.info.viewed(as: slice.shape))
            let hasScale = tensor.type == .int8 && slice.shape.count > 1
            let scale = hasScale ? try binder.bindScale(of: tensor) : nil
            names.add(slice.name, stored.info, scale: scale?.info)
            if stored.name != slice.name { names.alias(stored.name, of: slice.name) }
            pieces.append(Piece(tensor: tensor, slice: slice, scale: scale))
        }
        return pieces
    }

    /// What the layers choose from; nil where none has experts.
    var experts: ExpertTraits? {
        routings.first.map { ExpertTraits(layers: config.layerCount, count: $0.experts, each: $0.each) }
    }

    /// Numbers in the matrices of layers with which a row is multiplied.
    var layerParameters: Int {
        matrices.reduce(0) {
            $0 + ($1.role == .layer ? $1.shape.outputs * $1.shape.inputs * parts(of: $1.shape) : 0)
        }
    }

    /// Bytes of packed weights that a step of one row reads; a few rows of a table count for nothing.
    var rowBytes: Int {
        matrices.reduce(vectorElements * MemoryLayout<Float>.size) {
            $0 + ($1.role == .lookup ? 0 : $1.shape.byteCount * parts(of: $1.shape))
        }
    }

    /// How many of the matrices behind each other a row takes: of experts as many as are chosen for it.
    private func parts(of shape: WeightLayout.Matrix) -> Int {
        shape.count == 1 ? 1 : routings.first?.each ?? shape.count
    }

    /// What the packed form is made of.
    var layout: WeightLayout {
        WeightLayout(dtype: dtype, matrices: matrices.map(\.shape), vectorElements: vectorElements)
    }
}
