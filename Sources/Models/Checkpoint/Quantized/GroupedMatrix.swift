/// A matrix `[outputs][inputs]` of integers of a few bits with a scale and a zero point for each output and each group of
/// inputs: number = (code − zero) · scale.
struct GroupedMatrix: Sendable {
    /// Where the zero points are.
    enum Zeros: Sendable {
        case all(Int)
        /// With what is added to the stored ones.
        case each(PackedCodes, addend: Int, indexIsOutput: Bool)
    }

    /// Rows and columns.
    let outputs: Int, inputs: Int
    /// The integers; their lanes are outputs, or inputs where they are packed along outputs.
    let codes: PackedCodes
    /// Whether a lane is an output.
    let lanesAreOutputs: Bool
    let zeros: Zeros
    /// Scale of (output, group), by their strides.
    let scales: [Float]
    let outputStride: Int, groupStride: Int
    /// Inputs of a group; all of them where there is one group.
    let group: Int
    /// The group of each input; nil where they come in order.
    let order: [Int32]?
    /// The inputs by their groups; nil where they come in order, and where groups differ in size.
    let sorted: InputOrder?

    /// Groups of a row.
    var groups: Int { (inputs + group - 1) / group }

    /// The blocks of a GGUF file that hold these numbers exactly; plain numbers where none do.
    ///
    /// Their scales are float16, and each of their groups of 32 inputs has one. Differences from the zero point decide how
    /// many bits it takes: 4 where they lie within −8 ... 7, 5 for any of 4 bits.
    var storedType: WeightType {
        let isWhole = inputs % 32 == 0 && (group % 32 == 0 || groups == 1)
        // A scale eight times as large is what the kernels' minimum of Q4_0 is.
        guard isWhole, order == nil || sorted != nil,
            scales.allSatisfy({ halfExactly($0) != nil && halfExactly(8 * $0) != nil })
        else {
            return .float32
        }
        switch (codes.bits, zeros) {
        case (2, _), (3, _), (4, .all(8)): return .q4_0
        case (4, _): return .q5_0
        case (8, .all(128)): return .q8_0
        default: return .float32
        }
    }

    /// The differences of a row's codes from their zero points.
    private func differences(_ output: Int, into out: UnsafeMutablePointer<Int16>) {
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: inputs) { row in
            let row = row.baseAddress!
            if lanesAreOutputs {
                codes.copy(lane: output, count: inputs, into: row)
            } else {
                codes.copy(index: output, lanes: inputs, into: row)
            }
            for input in 0..<inputs { out[input] = Int16(row[input]) }
        }
        if case .all(let zero) = zeros {
            for input in 0..<inputs { out[input] &-= Int16(truncatingIfNeeded: zero) }
        } else if let order {
            let zeros = (0..<groups).map { Int16(truncatingIfNeeded: zero(output, $0)) }
            for input in 0..<inputs { out[input] &-= zeros[Int(order[input])] }
        } else {
            for number in 0..<groups {
                let zero = Int16(truncatingIfNeeded: zero(output, number))
                for input in number * group..<min(inputs, (number + 1) * group) { out[input] &-= zero }
            }
        }
    }

    private func zero(_ output: Int, _ group: Int) -> Int {
        switch zeros {
        case .all(let zero): zero
        case .each(let codes, let addend, let indexIsOutput):
            addend + (indexIsOutput ? codes.code(output, lane: group) : codes.code(group, lane: output))
        }
    }

    /// A row as float32: one rounded product each.
    func read(_ output: Int, into out: UnsafeMutablePointer<Float>) {
        withUnsafeTemporaryAllocation(of: Int16.self, capacity: max(1, inputs)) { row in
            differences(output, into: row.baseAddress!)
            for input in 0..<inputs {
                let group = order.map { Int($0[input]) } ?? input / group
                out[input] = Float(row[input]) * scales[output &* outputStride &+ group &* groupStride]
            }
        }
    }

    /// A row as blocks of a type that `storedType` found.
    func readBlocks(_ output: Int, as type: WeightType, into out: UnsafeMutableRawPointer) {
        withUnsafeTemporaryAllocation(of: Int16.self, capacity: max(1, inputs)) { row in
            differences(output, into: row.baseAddress!)
            if let sorted { Self.sort(row.baseAddress!, by: sorted) }
            for block in 0..<inputs / 32 {
                let scale = scales[output * outputStride + block * 32 / group * groupStride]
                let target = out + block * type.blockBytes
                target.storeBytes(of: halfExactly(scale) ?? 0, as: UInt16.self)
                Self.write(row.baseAddress! + block * 32, as: type, into: target + 2)
            }
        }
    }

    /// Puts a row's numbers into another order.
    private static func sort(_ row: UnsafeMutablePointer<Int16>, by order: InputOrder) {
        let count = order.inputs.count
        withUnsafeTemporaryAllocation(of: Int16.self, capacity: count) { copy in
            copy.baseAddress!.update(from: row, count: count)
            for place in 0..<count { row[place] = copy[Int(order.inputs[place])] }
        }
    }

    /// 32 differences as a block's integers: low nibbles are the first half, fifth bits come before them.
    private static func write(
        _ values: UnsafeMutablePointer<Int16>, as type: WeightType, into out: UnsafeMutableRawPointer
    ) {
        func byte(_ value: Int16) -> UInt8 { UInt8(truncatingIfNeeded: value) }
        switch type {
        case .q8_0:
            for i in 0..<32 { out.storeBytes(of: byte(values[i]), toByteOffset: i, as: UInt8.self) }
        case .q4_0:
            for i in 0..<16 {
                let pair = byte(values[i] &+ 8) & 15 | (byte(values[i &+ 16] &+ 8) & 15) &<< 4
                out.storeBytes(of: pair, toByteOffset: i, as: UInt8.self)
            }
        default:
            var fifths: UInt32 = 0
            for i in 0..<32 { fifths |= UInt32(byte(values[i] &+ 16) &>> 4 & 1) &<< UInt32(i) }
            out.storeBytes(of: fifths, as: UInt32.self)
            for i in 0..<16 {
                let pair = byte(values[i] &+ 16) & 15 | (byte(values[i &+ 16] &+ 16) & 15) &<< 4
                out.storeBytes(of: pair, toByteOffset: 4 &+ i, as: UInt8.self)
            }
        }
    }
}

/// The float16 that is this number; nil where none is.
func halfExactly(_ value: Float) -> UInt16? {
    let bits = value.bitPattern
    let sign = UInt16(truncatingIfNeeded: bits &>> 16) & 0x8000
    let magnitude = bits & 0x7FFF_FFFF
    if magnitude == 0 { return sign }
    let exponent = Int(magnitude &>> 23) &- 127
    let fraction = magnitude & 0x7F_FFFF
    if exponent > 15 || exponent < -24 { return nil }
    if exponent >= -14 {
        guard fraction & 0x1FFF == 0 else { return nil }
        return sign | UInt16(exponent &+ 15) &<< 10 | UInt16(truncatingIfNeeded: fraction &>> 13)
    }
    // A subnormal half: a multiple of 2^-24.
    let drop = UInt32(-1 &- exponent)
    let whole = fraction | 0x80_0000
    guard whole & (1 &<< drop &- 1) == 0 else { return nil }
    return sign | UInt16(truncatingIfNeeded: whole &>> drop)
}
