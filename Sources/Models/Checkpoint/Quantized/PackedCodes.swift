/// Unsigned integers of a few bits, packed along one dimension of a matrix of 32-bit words, lowest bits first.
///
/// A *lane* is a run of integers that share words: a column or a row of words, as the format has it.
struct PackedCodes: Sendable {
    /// The words.
    let words: StoredBytes
    /// Bits of one integer; those of 3 bits go on in the next word.
    let bits: Int
    /// Words from one of a lane to its next.
    let wordStride: Int
    /// Words from a lane to the next lane.
    let laneStride: Int
    /// Whether eight integers of 4 bits lie in their word in AWQ's order: 0, 2, 4, 6, 1, 3, 5, 7.
    var isInterleaved = false

    /// Where AWQ puts each of eight integers.
    private static let places = [0, 4, 1, 5, 2, 6, 3, 7]

    /// Integer `index` of a lane.
    func code(_ index: Int, lane: Int) -> Int {
        let place = isInterleaved ? index & ~7 | Self.places[index & 7] : index
        let bit = place * bits
        let base = words.pointer + lane * laneStride * 4
        let (word, shift) = (bit / 32, bit % 32)
        var value = UInt64(base.loadUnaligned(fromByteOffset: word * wordStride * 4, as: UInt32.self))
        if shift + bits > 32 {
            let next = base.loadUnaligned(fromByteOffset: (word + 1) * wordStride * 4, as: UInt32.self)
            value |= UInt64(next) << 32
        }
        return Int(value >> UInt64(shift)) & (1 << bits - 1)
    }

    /// The first `count` integers of a lane.
    func copy(lane: Int, count: Int, into out: UnsafeMutablePointer<UInt8>) {
        guard 32 % bits == 0, !isInterleaved else {
            for index in 0..<count { out[index] = UInt8(truncatingIfNeeded: code(index, lane: lane)) }
            return
        }
        let each = 32 / bits
        let mask = UInt32(1 << bits - 1)
        let base = words.pointer + lane * laneStride * 4
        var index = 0
        var offset = 0
        while index < count {
            var word = base.loadUnaligned(fromByteOffset: offset, as: UInt32.self)
            for _ in 0..<min(each, count &- index) {
                out[index] = UInt8(truncatingIfNeeded: word & mask)
                word &>>= UInt32(bits)
                index &+= 1
            }
            offset &+= wordStride &* 4
        }
    }

    /// Integer `index` of each of the first `lanes` lanes.
    func copy(index: Int, lanes: Int, into out: UnsafeMutablePointer<UInt8>) {
        let place = isInterleaved ? index & ~7 | Self.places[index & 7] : index
        let bit = place * bits
        guard bit % 32 + bits <= 32 else {
            for lane in 0..<lanes { out[lane] = UInt8(truncatingIfNeeded: code(index, lane: lane)) }
            return
        }
        let first = words.pointer + bit / 32 * wordStride * 4
        let shift = UInt32(bit % 32)
        let mask = UInt32(1 << bits - 1)
        for lane in 0..<lanes {
            let word = first.loadUnaligned(fromByteOffset: lane &* laneStride &* 4, as: UInt32.self)
            out[lane] = UInt8(truncatingIfNeeded: word &>> shift & mask)
        }
    }
}

/// The bytes of a stored tensor; keeps its file mapped.
struct StoredBytes: Sendable {
    /// Which tensor they are.
    let info: TensorInfo
    private let file: SafetensorsFile
    private let offset: Int

    /// Names bytes of a file.
    init(_ info: TensorInfo, file: SafetensorsFile, offset: Int) {
        self.info = info
        self.file = file
        self.offset = offset
    }

    /// Where they begin, with no alignment.
    var pointer: UnsafeRawPointer { file.mapped.pointer(at: offset) }

    /// All the numbers as float32.
    func floats() -> [Float] {
        [Float](unsafeUninitializedCapacity: info.elementCount) { buffer, count in
            count = info.elementCount
            if count > 0 { readElements(info.type, base: pointer, range: 0..<count, into: buffer.baseAddress!) }
        }
    }
}
