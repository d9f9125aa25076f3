import Foundation

extension HiddenFrame {
    /// Puts rows in as bytes.
    package mutating func setRows(output: [Float], input: [Float]) {
        self.output = output.withUnsafeBytes { Data($0) }
        self.input = input.withUnsafeBytes { Data($0) }
    }

    /// The numbers of the rows that ids were chosen from.
    package var outputNumbers: [Float] { Messages.numbers(output) }

    /// The numbers of the prompt's rows.
    package var inputNumbers: [Float] { Messages.numbers(input) }
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
    package var numbers: [Float] { Messages.numbers(values) }
}

/// Bytes as float32.
private func numbers(_ data: Data) -> [Float] {
    data.withUnsafeBytes { raw in
        (0..<raw.count / 4).map { raw.loadUnaligned(fromByteOffset: 4 * $0, as: Float.self) }
    }
}
