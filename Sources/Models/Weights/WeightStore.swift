import Tensors

/// Where the packed weights of a running model came from.
package struct WeightsSource: Sendable {
    /// Mapped from the cache file, built into one just now, or kept in memory only.
    package let origin: PackedWeights.Origin
    /// One line for the log when a cache file was wanted and is not used, or had to be rebuilt.
    package let note: String?
    /// Bytes of the packed weights.
    package let byteCount: Int
}

/// The packed weights of a model, by the identifiers its layers hold.
final class WeightStore {
    private let packed: PackedWeights
    private let matrices: [PackedMatrix]
    private let vectors: UnsafePointer<Float>

    /// Finds the planned sections in packed memory, and keeps that memory.
    init(_ plan: WeightPlan, _ packed: PackedWeights) {
        self.packed = packed
        matrices = plan.matrices.map { matrix in
            PackedMatrix(
                data: packed[matrix.name].baseAddress!, outputs: matrix.outputs, inputs: matrix.inputs,
                dtype: plan.dtype, kind: matrix.kind, format: matrix.format)
        }
        vectors = packed[WeightPlan.vectorSection].baseAddress!.assumingMemoryBound(to: Float.self)
    }

    /// A matrix, valid while the store lives.
    subscript(id: MatrixID) -> PackedMatrix { matrices[id.index] }

    /// First element of a vector that every rank holds.
    subscript(id: VectorID) -> UnsafePointer<Float> {
        guard let offset = id.offset else { preconditionFailure("the vector is another rank's") }
        return vectors + offset
    }

    /// First element of a vector; nil when the layer has none or another rank holds it.
    subscript(id: VectorID?) -> UnsafePointer<Float>? {
        guard let offset = id?.offset else { return nil }
        return vectors + offset
    }

    /// Where the weights came from.
    var source: WeightsSource {
        WeightsSource(origin: packed.origin, note: packed.note, byteCount: packed.byteCount)
    }
}
