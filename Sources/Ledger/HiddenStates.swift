internal import Messages

/// The hidden states that a request asked for: of the prompt before its last row, where it wants these, and of the row that each
/// output id was chosen from. They come with the ids, and with another attempt from the ids on that are missing.
package struct HiddenStates: Sendable, Equatable {
    /// Numbers of a row; 0 until one is there.
    package private(set) var width = 0
    /// Rows of the prompt but the last, as float32, little-endian.
    package private(set) var prompt: [UInt8] = []
    /// One row for each id.
    package private(set) var rows: [UInt8] = []

    package init() {}

    /// Takes a frame that covers `count` ids, of which the first `known` are here already.
    mutating func append(_ frame: HiddenFrame, known: Int, count: Int) {
        width = Int(frame.width)
        if rows.isEmpty { prompt = Array(frame.input) }
        guard frame.output.count == count * width * MemoryLayout<Float>.size else { return }
        rows.append(contentsOf: frame.output.dropFirst(min(known, count) * width * MemoryLayout<Float>.size))
    }

    /// Numbers of a stretch of rows.
    package static func numbers(_ bytes: ArraySlice<UInt8>) -> [Float] {
        bytes.withUnsafeBytes { raw in
            (0..<raw.count / 4).map {
                Float(bitPattern: UInt32(littleEndian: raw.loadUnaligned(fromByteOffset: 4 * $0, as: UInt32.self)))
            }
        }
    }
}
