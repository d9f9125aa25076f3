/// A matrix of numbers of 8 bits with a float32 scale for each of its blocks; one block may be all of it, or a row.
struct ScaledMatrix: Sendable {
    /// The numbers, `[outputs][inputs]`: E4M3, E5M2 or signed bytes.
    let bytes: StoredBytes
    /// Scales of the blocks, row by row.
    let scales: [Float]
    /// Rows and columns of a block.
    let blockRows: Int, blockColumns: Int

    private var inputs: Int { bytes.info.rowElements }
    private var blocks: Int { (inputs + blockColumns - 1) / blockColumns }

    /// E4M3 stays what it is; what no kernel multiplies is plain numbers.
    var storedType: WeightType { bytes.info.type == .float8E4M3 ? .scaledFloat8 : .float32 }

    /// A row as float32: one rounded product each.
    func read(_ output: Int, into out: UnsafeMutablePointer<Float>) {
        let type = bytes.info.type
        if type == .int8 {
            let row = bytes.pointer + output * inputs
            for input in 0..<inputs { out[input] = Float(row.load(fromByteOffset: input, as: Int8.self)) }
        } else {
            readElements(type, base: bytes.pointer, range: output * inputs..<(output + 1) * inputs, into: out)
        }
        let row = output / blockRows * blocks
        for input in 0..<inputs { out[input] *= scales[row &+ input / blockColumns] }
    }

    /// A row's bytes, and its scales behind them.
    func readCodes(_ output: Int, into out: UnsafeMutableRawPointer) {
        out.copyMemory(from: bytes.pointer + output * inputs, byteCount: inputs)
        let first = output / blockRows * blocks
        scales[first..<first + blocks].withUnsafeBytes { own in
            if let base = own.baseAddress { (out + inputs).copyMemory(from: base, byteCount: own.count) }
        }
    }
}
