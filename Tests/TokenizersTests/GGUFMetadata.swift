import Tokenizers

/// Just enough of a GGUF reader to take the vocabulary out of a sound file (format: ggml's docs/gguf.md).
struct GGUFMetadata {
    private var at = 0
    private let bytes: [UInt8]
    private(set) var integers: [String: Int] = [:]
    private(set) var strings: [String: String] = [:]
    private(set) var lists: [String: [String]] = [:]
    private(set) var integerLists: [String: [Int32]] = [:]

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
        at = 16
        let count = Int(read(UInt64.self))
        for _ in 0..<count {
            let key = readString()
            readValue(key, type: read(UInt32.self))
        }
    }

    private mutating func read<I: FixedWidthInteger>(_ type: I.Type) -> I {
        let value = bytes.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: at, as: I.self) }
        at += MemoryLayout<I>.size
        return value
    }

    private mutating func readString() -> String {
        let length = Int(read(UInt64.self))
        at += length
        return String(decoding: bytes[at - length..<at], as: UTF8.self)
    }

    private mutating func readValue(_ key: String, type: UInt32) {
        switch type {
        case 8: strings[key] = readString()
        case 9:
            let element = read(UInt32.self)
            let count = Int(read(UInt64.self))
            switch element {
            case 8: lists[key] = (0..<count).map { _ in readString() }
            case 5: integerLists[key] = (0..<count).map { _ in read(Int32.self) }
            default: for _ in 0..<count { readValue(key, type: element) }
            }
        default: integers[key] = readInteger(type)
        }
    }

    private mutating func readInteger(_ type: UInt32) -> Int {
        switch type {
        case 0, 1, 7: Int(read(UInt8.self))
        case 2, 3: Int(read(UInt16.self))
        case 4, 5, 6: Int(read(UInt32.self))
        default: Int(truncatingIfNeeded: read(UInt64.self))
        }
    }

    /// The vocabulary.
    var vocabulary: GGUFTokenizerKeys {
        func integer(_ key: String) -> Int? { integers["tokenizer.ggml.\(key)"] }
        return GGUFTokenizerKeys(
            tokens: lists["tokenizer.ggml.tokens"] ?? [], tokenTypes: integerLists["tokenizer.ggml.token_type"] ?? [],
            merges: lists["tokenizer.ggml.merges"] ?? [], model: strings["tokenizer.ggml.model"] ?? "",
            pre: strings["tokenizer.ggml.pre"], architecture: strings["general.architecture"],
            bos: integer("bos_token_id"), eos: integer("eos_token_id"), unknown: integer("unknown_token_id"),
            padding: integer("padding_token_id"), addBOS: integer("add_bos_token").map { $0 != 0 })
    }
}
