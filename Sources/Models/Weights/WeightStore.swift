import Tensors

/// The packed weights of a model, by the identifiers its layers hold.
final class WeightStore {
    /// What they are made of.
    let layout: WeightLayout
    /// Where they were read.
    let origin: WeightOrigin
    /// The cache file that they lie in; nil when they are in memory only.
    let file: String?
    private var packed: PackedWeights?
    private var matrices: [PackedMatrix]
    private var vectors: UnsafePointer<Float>?

    /// Finds the sections in packed memory, and keeps that memory.
    init(_ prepared: PreparedWeights) {
        layout = prepared.layout
        origin = prepared.origin
        let packed = prepared.packed
        self.packed = packed
        file = packed.path
        matrices = layout.matrices.map { $0.packed(at: packed[$0.name].baseAddress!) }
        vectors = packed[WeightLayout.vectorSection].baseAddress!.assumingMemoryBound(to: Float.self)
    }

    /// Gives the memory back; nothing can be asked for any more.
    func release() {
        matrices = []
        vectors = nil
        packed = nil
    }

    /// The checksum of all sections; nil while there is no memory.
    func checksum() -> (@Sendable () -> UInt64)? {
        guard let packed else { return nil }
        let names = layout.sections.map(\.name)
        return {
            names.map { checksum64(packed[$0]) }.withUnsafeBytes { checksum64($0) }
        }
    }

    /// A matrix, or the first of several, valid while the store has memory.
    subscript(id: MatrixID) -> PackedMatrix { matrices[id.index] }

    /// First element of a vector that every rank holds.
    subscript(id: VectorID) -> UnsafePointer<Float> {
        guard let offset = id.offset else { preconditionFailure("the vector is another rank's") }
        return vectors! + offset
    }

    /// First element of a vector; nil when the layer has none or another rank holds it.
    subscript(id: VectorID?) -> UnsafePointer<Float>? {
        guard let offset = id?.offset, let vectors else { return nil }
        return vectors + offset
    }
}

/// What loading found, for the log.
package struct LoadReport: Sendable {
    /// Whether the packed weights were mapped from the cache file, built into one just now, or are in memory only.
    package let origin: PackedWeights.Origin
    /// Bytes of the packed weights.
    package let byteCount: Int
    /// Bytes of them that a step of one row reads: of experts those that a row takes, of a table of token vectors none.
    package let rowBytes: Int
    /// Numbers in the layers' matrices with which a token is multiplied: of experts those of as many as it takes.
    package let layerParameters: Int
    /// One line when a cache file was wanted and is not used, or had to be rebuilt.
    package let note: String?
    /// One line each for what the checkpoint has and the model passes over.
    package let warnings: [String]
}

/// Weights in packed form that wait for a model: those it starts with, or others that take their place later.
package struct PreparedWeights: Sendable {
    let layout: WeightLayout
    let origin: WeightOrigin
    let packed: PackedWeights
    /// What loading them found.
    package let report: LoadReport

    /// The cache file that they were packed into or found in; nil when they are in memory only.
    package var file: String? { packed.path }
}
