package import Tensors

#if canImport(Glibc)
    import Glibc
#endif

/// Cosines and sines of rotary positions (Su et al. 2021, arXiv:2104.09864), computed for blocks of positions as they
/// are first used.
package final class RotaryEmbedding {
    /// How fast each pair of elements turns, and the factor on cosines and sines.
    package let frequencies: RotaryFrequencies
    /// Positions the tables have room for.
    package let positions: Int
    private let cosines: AlignedBuffer
    private let sines: AlignedBuffer
    private let queryFactors: AlignedBuffer?
    private let rope: RopeConfig
    private var filled = 0
    private static let blockSize = 1024

    /// Reserves tables for so many positions.
    package init(_ rope: RopeConfig, positions: Int, modelPath: String) throws(CheckpointError) {
        frequencies = try RotaryFrequencies(rope, positions: positions, modelPath: modelPath)
        self.positions = positions
        self.rope = rope
        func buffer(_ numbers: Int) throws(CheckpointError) -> AlignedBuffer {
            let byteCount = positions * numbers * MemoryLayout<Float>.size
            guard let buffer = AlignedBuffer(byteCount: byteCount) else {
                throw .outOfMemory(purpose: "the rotation of positions (--context-length)", byteCount: 2 * byteCount)
            }
            return buffer
        }
        cosines = try buffer(frequencies.inverse.count)
        sines = try buffer(frequencies.inverse.count)
        queryFactors = rope.queryGrowth == nil ? nil : try buffer(1)
    }

    /// Tables that cover positions below `count`.
    package func table(covering count: Int) -> RotaryTable {
        precondition(count <= positions, "a position lies within the context length")
        if count > filled { fill(upTo: min(positions, (count + Self.blockSize - 1) / Self.blockSize * Self.blockSize)) }
        var table = RotaryTable(
            cosines: cosines.bound(to: Float.self), sines: sines.bound(to: Float.self),
            rotaryDimension: rope.rotaryDimension, isInterleaved: rope.isInterleaved)
        table.queryFactors = queryFactors.map { UnsafePointer($0.bound(to: Float.self)) }
        return table
    }

    /// Angles are products in float32, as the models were trained with; only their cosines and sines are taken in
    /// double precision.
    private func fill(upTo end: Int) {
        let half = frequencies.inverse.count
        let cosine = cosines.bound(to: Float.self)
        let sine = sines.bound(to: Float.self)
        frequencies.inverse.withUnsafeBufferPointer { inverse in
            for position in filled..<end {
                for j in 0..<half {
                    let angle = Double(Float(position) * inverse[j])
                    cosine[position * half + j] = Float(cos(angle) * frequencies.magnitude)
                    sine[position * half + j] = Float(sin(angle) * frequencies.magnitude)
                }
            }
        }
        if let growth = rope.queryGrowth, let factors = queryFactors?.bound(to: Float.self) {
            for position in filled..<end { factors[position] = Float(growth.factor(at: position)) }
        }
        filled = end
    }
}

/// A kind of rotation among those that a network uses, by the order in which it was planned.
struct RotaryID: Equatable { let index: Int }

/// The tables of every kind of rotation that a network's layers use.
final class RotaryTables {
    private let tables: [RotaryEmbedding]
    private var covered = 0

    /// Reserves tables for so many positions each.
    init(_ ropes: [RopeConfig], positions: Int, modelPath: String) throws(CheckpointError) {
        var tables: [RotaryEmbedding] = []
        for rope in ropes { tables.append(try RotaryEmbedding(rope, positions: positions, modelPath: modelPath)) }
        self.tables = tables
    }

    /// Says that a step's positions lie below `count`.
    func cover(_ count: Int) { covered = count }

    /// The table of a kind, which covers the step's positions.
    subscript(id: RotaryID) -> RotaryTable { tables[id.index].table(covering: covered) }
}
