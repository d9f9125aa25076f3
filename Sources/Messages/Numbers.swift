import Foundation

extension HiddenFrame {
    /// Puts rows in as bytes.
    package mutating func setRows(output: [Float], input: [Float]) {
        self.output = output.withUnsafeBytes { Data($0) }
        self.input = input.withUnsafeBytes { Data($0) }
    }
}

extension PromptVectors {
    /// Vectors of one width, one behind the other.
    package init(_ numbers: [Float], width: Int) {
        self.init()
        values = numbers.withUnsafeBytes { Data($0) }
        self.width = UInt32(width)
    }

    /// How many vectors there are.
    package var count: Int { width == 0 ? 0 : values.count / (Int(width) * MemoryLayout<Float>.size) }

    /// The numbers.
    package var numbers: [Float] {
        values.withUnsafeBytes { raw in
            (0..<raw.count / 4).map { raw.loadUnaligned(fromByteOffset: 4 * $0, as: Float.self) }
        }
    }
}
