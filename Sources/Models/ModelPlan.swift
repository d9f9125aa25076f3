import Tensors

/// Collects the tensors a model wants while its layers are built, so that they can then be packed in one go.
///
/// Building a model and loading it are two steps because the cache file's layout depends on the whole list.
final class WeightPlan {
    /// A matrix to pack: slices stacked by rows.
    struct Matrix {
        let name: String
        let pieces: [(tensor: BoundTensor, slice: TensorSlice)]
        /// Row scales of the pieces that the checkpoint stores as int8.
        let scales: [BoundTensor?]
        let outputs: Int
        let inputs: Int
        let kind: PackedMatrix.Kind
        let format: WeightFormat
    }

    /// A vector to copy: slices joined; an absent one (`isKept` false) only has its names checked.
    struct Vector {
        let pieces: [(tensor: BoundTensor, slice: TensorSlice)]
        let offset: Int
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
    private let binder: WeightBinder
    private(set) var matrices: [Matrix] = []
    private(set) var vectors: [Vector] = []
    /// Float32 elements of all the vectors, each rounded up to a cache line.
    private(set) var vectorElements = 0

    /// An empty plan over a checkpoint.
    init(
        _ binder: WeightBinder, config: ModelConfig, dtype: DType, quantization: Quantization, shard: ShardPlan,
        modelPath: String
    ) {
        self.binder = binder
        self.config = config
        self.dtype = dtype
        self.quantization = quantization
        self.shard = shard
        self.modelPath = modelPath
    }

    /// Plans a matrix of slices stacked by rows, all of one width; throws when a tensor has another shape.
    func matrix(
        _ name: String, _ slices: [TensorSlice], kind: PackedMatrix.Kind = .plain, role: MatrixRole = .layer
    ) throws(CheckpointError) -> MatrixID {
        let pieces = try bind(slices)
        let inputs = slices.first?.columns.count ?? 0
        precondition(slices.allSatisfy { $0.columns.count == inputs }, "stacked slices have one width")
        let outputs = slices.reduce(0) { $0 + $1.rows.count }
        let format = try quantization.format(of: role, storedAs: pieces.map(\.tensor.type), modelPath: modelPath)
        var scales: [BoundTensor?] = []
        for piece in pieces { scales.append(piece.tensor.type == .int8 ? try binder.bindScale(of: piece.tensor) : nil) }
        matrices.append(
            Matrix(
                name: name, pieces: pieces, scales: scales, outputs: outputs, inputs: inputs, kind: kind,
                format: format))
        return MatrixID(index: matrices.count - 1)
    }

    /// Plans a float32 vector of slices joined; with `isKept` false this rank only checks that the tensors exist.
    func vector(_ name: String, _ slices: [TensorSlice], isKept: Bool = true) throws(CheckpointError) -> VectorID {
        let pieces = try bind(slices)
        guard isKept else { return VectorID(offset: nil) }
        let offset = vectorElements
        vectors.append(Vector(pieces: pieces, offset: offset))
        let count = slices.reduce(0) { $0 + $1.rows.count }
        vectorElements += (count + 15) / 16 * 16
        return VectorID(offset: offset)
    }

    private func bind(_ slices: [TensorSlice]) throws(CheckpointError) -> [(tensor: BoundTensor, slice: TensorSlice)] {
        var pieces: [(tensor: BoundTensor, slice: TensorSlice)] = []
        for slice in slices { pieces.append((try binder.bind(slice.name, shape: slice.shape), slice)) }
        return pieces
    }

    /// Sections of the packed form: each matrix, then all vectors together.
    var sections: [PackedSection] {
        matrices.map { PackedSection(name: $0.name, byteCount: byteCount(of: $0)) }
            + [PackedSection(name: Self.vectorSection, byteCount: max(vectorElements, 1) * MemoryLayout<Float>.size)]
    }

    /// Bytes a matrix takes in packed form.
    func byteCount(of matrix: Matrix) -> Int {
        PackedMatrix.byteCount(
            outputs: matrix.outputs, inputs: matrix.inputs, dtype: dtype, kind: matrix.kind, format: matrix.format)
    }

    /// Name of the section that holds the vectors; no tensor is called so.
    static let vectorSection = "vectors"
}
