/// What the pickle of a file by `torch.save` says: a dictionary of tensors over storages, and nothing that would be executed.
///
/// Only the instructions are known that such dictionaries are made of; any other, and any name that is not one of torch's tensors and
/// storages, is an error. Values lie in one list and name each other by their places, so that no nesting is too deep.
struct TorchPickle {
    /// A tensor: numbers of a storage from `offset` on, row by row.
    struct Tensor: Equatable {
        let kind: String
        let storage: String
        let offset: Int
        let shape: [Int]
    }

    /// The tensors by their names.
    private(set) var tensors: [String: Tensor] = [:]

    private enum Value {
        case other
        case integer(Int)
        case text(String)
        case name(String)
        case list([Int])
        case pairs([(Int, Int)])
        case storage(kind: String, key: String)
        case tensor(Tensor)
    }

    private var values: [Value] = []
    private var stack: [Int] = []
    private var marks: [Int] = []
    private var memory: [Int: Int] = [:]
    private var reader: ByteReader

    /// Runs the pickle in `range` of a file's bytes.
    init(file: String, bytes: UnsafeRawBufferPointer, range: Range<Int>) throws(CheckpointError) {
        reader = ByteReader(
            file: file, bytes: UnsafeRawBufferPointer(rebasing: bytes[..<range.upperBound]), offset: range.lowerBound)
        while try runInstruction() {}
        guard let root = stack.last, case .pairs(let pairs) = values[root] else {
            throw complaint("holds no dictionary of tensors")
        }
        for (key, value) in pairs {
            guard case .text(let name) = values[key] else { throw complaint("has a key that is no text") }
            if case .tensor(let tensor) = values[value] { tensors[name] = tensor }
        }
    }

    private func complaint(_ reason: String) -> CheckpointError {
        .malformed(file: reader.file, place: "data.pkl", reason: reason)
    }

    private mutating func byte() throws(CheckpointError) -> Int {
        Int(try reader.integer(UInt8.self, "the pickle"))
    }

    private mutating func push(_ value: Value) {
        stack.append(values.count)
        values.append(value)
    }

    private mutating func pop() throws(CheckpointError) -> Int {
        guard let top = stack.popLast(), stack.count >= marks.last ?? 0 else {
            throw complaint("takes what is not there")
        }
        return top
    }

    private mutating func popToMark() throws(CheckpointError) -> [Int] {
        guard let mark = marks.popLast(), mark <= stack.count else { throw complaint("has no mark") }
        defer { stack.removeLast(stack.count - mark) }
        return Array(stack[mark...])
    }

    private mutating func text(length: Int) throws(CheckpointError) -> String {
        let start = reader.offset
        try reader.skip(length, "a text of the pickle")
        return String(decoding: UnsafeRawBufferPointer(rebasing: reader.bytes[start..<reader.offset]), as: UTF8.self)
    }

    private mutating func line() throws(CheckpointError) -> String {
        var length = 0
        while reader.offset + length < reader.bytes.count, reader.bytes[reader.offset + length] != 0x0A { length += 1 }
        defer { try? reader.skip(1, "a line of the pickle") }
        return try text(length: length)
    }

    /// Runs one instruction; false: it was the last.
    private mutating func runInstruction() throws(CheckpointError) -> Bool {
        let code = try byte()
        switch UInt8(code) {
        case UInt8(ascii: "."): return false
        case 0x80: _ = try byte()
        case 0x95: try reader.skip(8, "the pickle")
        case UInt8(ascii: "("): marks.append(stack.count)
        case UInt8(ascii: "N"), 0x88, 0x89: push(.other)
        case UInt8(ascii: "K"): push(.integer(try byte()))
        case UInt8(ascii: "M"): push(.integer(Int(try reader.integer(UInt16.self, "the pickle"))))
        case UInt8(ascii: "J"): push(.integer(Int(try reader.integer(Int32.self, "the pickle"))))
        case 0x8A: push(.integer(try long()))
        case UInt8(ascii: "X"): push(.text(try text(length: Int(try reader.integer(UInt32.self, "the pickle")))))
        case 0x8C: push(.text(try text(length: try byte())))
        case UInt8(ascii: "c"): push(.name(try line() + "." + line()))
        case 0x93: try joinName()
        case UInt8(ascii: "q"): try remember(at: try byte())
        case UInt8(ascii: "r"): try remember(at: Int(try reader.integer(UInt32.self, "the pickle")))
        case 0x94: try remember(at: memory.count)
        case UInt8(ascii: "h"): try recall(try byte())
        case UInt8(ascii: "j"): try recall(Int(try reader.integer(UInt32.self, "the pickle")))
        default: try runBuilding(UInt8(code))
        }
        return true
    }

    /// Instructions that make values of others.
    private mutating func runBuilding(_ code: UInt8) throws(CheckpointError) {
        switch code {
        case UInt8(ascii: "}"): push(.pairs([]))
        case UInt8(ascii: "]"), UInt8(ascii: ")"): push(.list([]))
        case UInt8(ascii: "t"): push(.list(try popToMark()))
        case 0x85, 0x86, 0x87:
            var parts: [Int] = []
            for _ in 0..<Int(code) - 0x84 { parts.insert(try pop(), at: 0) }
            push(.list(parts))
        case UInt8(ascii: "s"):
            let value = try pop()
            try add([try pop(), value])
        case UInt8(ascii: "u"): try add(try popToMark())
        case UInt8(ascii: "a"): _ = try pop()
        case UInt8(ascii: "e"): _ = try popToMark()
        // What a dictionary says of itself beside its members.
        case UInt8(ascii: "b"): _ = try pop()
        case UInt8(ascii: "Q"): try makeStorage(of: try pop())
        case UInt8(ascii: "R"):
            let arguments = try pop()
            try call(try pop(), arguments)
        default: throw complaint("has an instruction \(code) that no dictionary of tensors needs")
        }
    }

    private mutating func long() throws(CheckpointError) -> Int {
        let length = try byte()
        guard length <= 8 else { throw complaint("has a number of \(length) bytes") }
        var bits: UInt64 = 0
        for index in 0..<length { bits |= UInt64(try byte()) << UInt64(8 * index) }
        let unused = UInt64(64 - 8 * length)
        return length == 0 ? 0 : Int(Int64(bitPattern: bits << unused) >> Int64(unused))
    }

    private mutating func joinName() throws(CheckpointError) {
        guard case .text(let name) = values[try pop()], case .text(let module) = values[try pop()] else {
            throw complaint("has a name that is no text")
        }
        push(.name(module + "." + name))
    }

    private mutating func remember(at place: Int) throws(CheckpointError) {
        guard let top = stack.last else { throw complaint("remembers what is not there") }
        memory[place] = top
    }

    private mutating func recall(_ place: Int) throws(CheckpointError) {
        guard let value = memory[place] else { throw complaint("recalls what it has not seen") }
        stack.append(value)
    }

    private mutating func add(_ items: [Int]) throws(CheckpointError) {
        guard let target = stack.last, case .pairs(var pairs) = values[target], items.count.isMultiple(of: 2) else {
            throw complaint("adds members to what is no dictionary")
        }
        // Taken out, so that it grows in place.
        values[target] = .other
        for index in stride(from: 0, to: items.count, by: 2) { pairs.append((items[index], items[index + 1])) }
        values[target] = .pairs(pairs)
    }

    private func integers(_ place: Int) -> [Int]? {
        guard case .list(let parts) = values[place] else { return nil }
        let numbers = parts.compactMap { if case .integer(let number) = values[$0] { number } else { nil } }
        return numbers.count == parts.count ? numbers : nil
    }

    /// `("storage", kind, key, device, count)`
    private mutating func makeStorage(of place: Int) throws(CheckpointError) {
        guard case .list(let parts) = values[place], parts.count >= 3, case .name(let kind) = values[parts[1]],
            case .text(let key) = values[parts[2]]
        else { throw complaint("names a storage in a way that is not torch's") }
        push(.storage(kind: kind, key: key))
    }

    private mutating func call(_ function: Int, _ arguments: Int) throws(CheckpointError) {
        guard case .name(let name) = values[function], case .list(let parts) = values[arguments] else {
            throw complaint("calls what is no function")
        }
        switch name {
        case "collections.OrderedDict": push(.pairs([]))
        case "torch._utils._rebuild_parameter":
            guard let tensor = parts.first else { throw complaint("has a parameter of nothing") }
            stack.append(tensor)
        case "torch._utils._rebuild_tensor_v2": push(.tensor(try tensor(parts)))
        default: throw complaint("calls `\(printable(name))`, which no dictionary of tensors needs")
        }
    }

    private func tensor(_ parts: [Int]) throws(CheckpointError) -> Tensor {
        guard parts.count >= 4, case .storage(let kind, let key) = values[parts[0]],
            case .integer(let offset) = values[parts[1]], let shape = integers(parts[2]),
            let strides = integers(parts[3]), shape.count == strides.count, offset >= 0,
            checkedElementCount(shape) != nil
        else { throw complaint("has a tensor in a way that is not torch's") }
        var next = 1
        for (size, stride) in zip(shape, strides).reversed() where size != 1 {
            guard stride == next else { throw complaint("has a tensor that does not lie row by row") }
            next *= size
        }
        return Tensor(kind: kind, storage: key, offset: offset, shape: shape)
    }
}
