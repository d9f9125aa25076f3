import Tensors

/// What the packed weights of a network are made of: two that are equal hold the same things in the same places.
struct WeightLayout: Sendable, Equatable {
    /// A packed matrix, or several of one shape behind each other.
    struct Matrix: Sendable, Equatable {
        let name: String
        let outputs: Int
        let inputs: Int
        let kind: PackedMatrix.Kind
        let format: WeightFormat
        /// Type of the activations, and of plain numbers.
        let dtype: DType
        /// How many there are.
        let count: Int
        /// Whether columns are inputs in another order.
        var isOrdered = false

        /// Bytes that one takes in packed form.
        var byteCount: Int {
            PackedMatrix.byteCount(
                outputs: outputs, inputs: inputs, dtype: dtype, kind: kind, format: format,
                isOrdered: isOrdered)
        }

        /// One matrix in packed memory.
        func packed(at data: UnsafeRawPointer) -> PackedMatrix {
            PackedMatrix(
                data: data, outputs: outputs, inputs: inputs, dtype: dtype, kind: kind, format: format,
                isOrdered: isOrdered)
        }
    }

    let dtype: DType
    let matrices: [Matrix]
    /// Float32 elements of all the vectors.
    let vectorElements: Int

    /// Sections of the packed form: each matrix, then all vectors together.
    var sections: [PackedSection] {
        matrices.map { PackedSection(name: $0.name, byteCount: $0.count * $0.byteCount) }
            + [PackedSection(name: Self.vectorSection, byteCount: max(vectorElements, 1) * MemoryLayout<Float>.size)]
    }

    /// Name of the section that holds the vectors; no tensor is called so.
    static let vectorSection = "vectors"

    /// In what another layout differs first; nil when it does not.
    func difference(from other: WeightLayout) -> String? {
        if self == other { return nil }
        guard dtype == other.dtype else { return "weights for \(dtype) instead of \(other.dtype)" }
        for (own, theirs) in zip(matrices, other.matrices) where own != theirs {
            return "`\(own.name)` of \(own.outputs) × \(own.inputs) (\(own.format)) instead of "
                + "`\(theirs.name)` of \(theirs.outputs) × \(theirs.inputs) (\(theirs.format))"
        }
        return "\(matrices.count) matrices and \(vectorElements) numbers in vectors instead of "
            + "\(other.matrices.count) and \(other.vectorElements)"
    }
}
