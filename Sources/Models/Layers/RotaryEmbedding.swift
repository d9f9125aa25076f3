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
    private let rotaryDimension: Int
    private var filled = 0
    private static let blockSize = 1024

    /// Reserves tables for so many positions; throws for a RoPE type that does not exist here.
    package init(_ config: ModelConfig, positions: Int, modelPath: String) throws(CheckpointError) {
        guard config.rope.isNeoxStyle else {
            throw .unsupported(
                file: modelPath, place: "rope_is_neox_style", reason: "only rotation of halves (true) is implemented")
        }
        frequencies = try RotaryFrequencies(
            config.rope, maxPositions: config.maxPositionEmbeddings, modelPath: modelPath)
        self.positions = positions
        rotaryDimension = config.rope.rotaryDimension
        let byteCount = positions * frequencies.inverse.count * MemoryLayout<Float>.size
        guard let cosines = AlignedBuffer(byteCount: byteCount), let sines = AlignedBuffer(byteCount: byteCount) else {
            throw .outOfMemory(purpose: "the rotation of positions (--context-length)", byteCount: 2 * byteCount)
        }
        self.cosines = cosines
        self.sines = sines
    }

    /// Tables that cover positions below `count`.
    package func table(covering count: Int) -> RotaryTable {
        precondition(count <= positions, "a position lies within the context length")
        if count > filled { fill(upTo: min(positions, (count + Self.blockSize - 1) / Self.blockSize * Self.blockSize)) }
        return RotaryTable(
            cosines: cosines.bound(to: Float.self), sines: sines.bound(to: Float.self), rotaryDimension: rotaryDimension
        )
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
        filled = end
    }
}
