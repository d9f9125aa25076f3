/// A value in a file that `torch.load(weights_only=True)` reads.
package indirect enum TorchValue: Sendable {
    case nothing
    case integer(Int)
    case string(String)
    case list([TorchValue])
    case dictionary([(String, TorchValue)])
    /// Part of the numbers of one of the archive's storages.
    case tensor(storage: Int, offset: Int, shape: [Int])
}

/// Values and tensors as `torch.save` writes them: a zip file, nothing in it compressed, that holds a pickle of the values and
/// the numbers of the tensors.
///
/// All tensors of one type share one storage.
package struct TorchArchive: Sendable {
    /// What the file holds.
    package var root = TorchValue.nothing
    private var integers: [Int32] = []
    private var longs: [Int64] = []

    /// An archive of nothing.
    package init() {}

    /// Adds a tensor of 32-bit integers.
    package mutating func tensor(_ numbers: [Int32], shape: [Int]) -> TorchValue {
        defer { integers += numbers }
        return .tensor(storage: 0, offset: integers.count, shape: shape)
    }

    /// Adds a tensor of 64-bit integers.
    package mutating func tensor(_ numbers: [Int64], shape: [Int]) -> TorchValue {
        defer { longs += numbers }
        return .tensor(storage: 1, offset: longs.count, shape: shape)
    }

    /// The file; nil where it would be larger than its form allows, 4 GiB.
    package var bytes: [UInt8]? {
        var pickle = Pickle(storages: [("IntStorage", integers.count), ("LongStorage", longs.count)])
        pickle.add(root)
        var zip = StoredZip()
        zip.add("archive/data.pkl", pickle.finished)
        zip.add("archive/byteorder", Array("little".utf8))
        zip.add("archive/data/0", integers.withUnsafeBytes { Array($0) })
        zip.add("archive/data/1", longs.withUnsafeBytes { Array($0) })
        zip.add("archive/version", Array("3\n".utf8))
        return zip.finished
    }
}

/// Writes Python's pickle, protocol 2, as far as torch's reader takes it.
private struct Pickle {
    private let storages: [(kind: String, count: Int)]
    private var bytes: [UInt8] = [0x80, 2]

    init(storages: [(kind: String, count: Int)]) { self.storages = storages }

    /// The pickle with its end.
    var finished: [UInt8] { bytes + [UInt8(ascii: ".")] }

    private mutating func put(_ code: Character) { bytes.append(code.asciiValue!) }

    private mutating func global(_ module: String, _ name: String) { bytes += Array("c\(module)\n\(name)\n".utf8) }

    private mutating func little<Number: FixedWidthInteger>(_ number: Number) {
        withUnsafeBytes(of: number.littleEndian) { bytes += $0 }
    }

    mutating func add(_ value: TorchValue) {
        switch value {
        case .nothing: put("N")
        case .integer(let number): add(number)
        case .string(let text): add(text)
        case .list(let elements):
            put("]")
            put("(")
            for element in elements { add(element) }
            put("e")
        case .dictionary(let members):
            put("}")
            put("(")
            for (name, member) in members {
                add(name)
                add(member)
            }
            put("u")
        case .tensor(let storage, let offset, let shape): addTensor(storage, offset, shape)
        }
    }

    private mutating func add(_ number: Int) {
        if let small = Int32(exactly: number) {
            put("J")
            little(small)
        } else {
            bytes += [0x8a, 8]
            little(Int64(number))
        }
    }

    private mutating func add(_ text: String) {
        put("X")
        little(UInt32(text.utf8.count))
        bytes += Array(text.utf8)
    }

    private mutating func tuple(_ numbers: [Int]) {
        put("(")
        for number in numbers { add(number) }
        put("t")
    }

    /// `torch._utils._rebuild_tensor_v2(storage, offset, size, stride, requires_grad, backward_hooks)`.
    private mutating func addTensor(_ storage: Int, _ offset: Int, _ shape: [Int]) {
        global("torch._utils", "_rebuild_tensor_v2")
        put("(")
        // The storage by name: ("storage", type, file, device, count).
        put("(")
        add("storage")
        global("torch", storages[storage].kind)
        add("\(storage)")
        add("cpu")
        add(storages[storage].count)
        put("t")
        put("Q")
        add(offset)
        tuple(shape)
        var strides = [Int](repeating: 1, count: shape.count)
        for index in shape.indices.dropLast().reversed() { strides[index] = strides[index + 1] * shape[index + 1] }
        tuple(strides)
        bytes.append(0x89)  // False
        global("collections", "OrderedDict")
        put(")")
        put("R")
        put("t")
        put("R")
    }
}

/// Writes a zip file whose members are stored as they are, each on a multiple of 64 bytes.
private struct StoredZip {
    private var bytes: [UInt8] = []
    private var directory: [UInt8] = []
    private var count: UInt16 = 0
    private var isTooLarge = false

    /// Adds a member.
    mutating func add(_ name: String, _ content: [UInt8]) {
        guard let size = UInt32(exactly: content.count), let place = UInt32(exactly: bytes.count) else {
            isTooLarge = true
            return
        }
        let checksum = CRC32.of(content)
        let header = 30 + name.utf8.count
        // An extra field, by its own header, fills the space up to the content.
        let gap = (64 - (bytes.count + header + 4) % 64) % 64
        bytes += Self.little(0x0403_4b50 as UInt32)
        bytes += Self.common(name, size, checksum)
        bytes += Self.little(UInt16(gap + 4))
        bytes += Array(name.utf8) + Self.little(0x4246 as UInt16) + Self.little(UInt16(gap))
        bytes += [UInt8](repeating: 0, count: gap)
        bytes += content
        directory += Self.little(0x0201_4b50 as UInt32) + Self.little(0 as UInt16)
        directory += Self.common(name, size, checksum)
        // No extra field, no comment, first disk, no attributes.
        directory += [UInt8](repeating: 0, count: 12) + Self.little(place) + Array(name.utf8)
        count += 1
    }

    /// The file; nil where a number would not fit.
    var finished: [UInt8]? {
        guard !isTooLarge, let place = UInt32(exactly: bytes.count) else { return nil }
        return bytes + directory + Self.little(0x0605_4b50 as UInt32) + Self.little(0 as UInt32)
            + Self.little(count) + Self.little(count) + Self.little(UInt32(directory.count)) + Self.little(place)
            + Self.little(0 as UInt16)
    }

    /// What both headers have: version, flags, method, time and date (1980-01-01), checksum, sizes, length of the name.
    private static func common(_ name: String, _ size: UInt32, _ checksum: UInt32) -> [UInt8] {
        little(20 as UInt16) + little(0 as UInt16) + little(0 as UInt16) + little(0 as UInt16) + little(33 as UInt16)
            + little(checksum) + little(size) + little(size) + little(UInt16(name.utf8.count))
    }

    private static func little<Number: FixedWidthInteger>(_ number: Number) -> [UInt8] {
        withUnsafeBytes(of: number.littleEndian) { Array($0) }
    }
}

/// The checksum of zip files.
private enum CRC32 {
    private static let table: [UInt32] = (0..<256).map { (byte: UInt32) in
        (0..<8).reduce(byte) { value, _ in value & 1 == 1 ? 0xEDB8_8320 ^ (value >> 1) : value >> 1 }
    }

    /// The checksum of some bytes.
    static func of(_ bytes: [UInt8]) -> UInt32 {
        let table = table
        var value: UInt32 = 0xFFFF_FFFF
        for byte in bytes { value = table[Int((value ^ UInt32(byte)) & 255)] ^ (value >> 8) }
        return ~value
    }
}
