/// Fills a `MergeTable` from pairs of tokens in the order of their ranks.
struct MergeTableBuilder {
    private let vocabulary: Vocabulary
    private let prefix: Int
    private var rank: Int32 = 0
    private(set) var table: MergeTable
    /// The bytes of one merged token; kept so that a table of 100,000 merges does not allocate as often.
    private var merged: [UInt8] = []

    /// `prefix` bytes are dropped from the right token when two merge (`continuing_subword_prefix`).
    init(vocabulary: Vocabulary, prefix: Int = 0, capacity: Int) {
        self.vocabulary = vocabulary
        self.prefix = prefix
        table = MergeTable(capacity: capacity)
    }

    /// Adds "left right" and returns what is wrong with it, if anything.
    mutating func append(_ line: String) -> String? {
        var line = line
        return line.withUTF8 { bytes in
            guard let space = bytes.firstIndex(of: 0x20), space == bytes.lastIndex(of: 0x20) else {
                return
                    "expected two tokens with one space between them, got \"\(String(decoding: bytes, as: UTF8.self))\""
            }
            return append(
                UnsafeBufferPointer(rebasing: bytes[..<space]), UnsafeBufferPointer(rebasing: bytes[(space + 1)...]))
        }
    }

    /// Adds a pair and returns what is wrong with it, if anything.
    mutating func append(_ left: [UInt8], _ right: [UInt8]) -> String? {
        left.withUnsafeBufferPointer { left in right.withUnsafeBufferPointer { append(left, $0) } }
    }

    private mutating func append(
        _ left: UnsafeBufferPointer<UInt8>, _ right: UnsafeBufferPointer<UInt8>
    ) -> String? {
        let (leftID, rightID) = (vocabulary.id(of: left), vocabulary.id(of: right))
        guard leftID >= 0 else { return Self.unknown(left) }
        guard rightID >= 0 else { return Self.unknown(right) }
        if right.count < prefix { return "\"\(String(decoding: right, as: UTF8.self))\" lacks the subword prefix" }
        merged.removeAll(keepingCapacity: true)
        merged.append(contentsOf: left)
        merged.append(contentsOf: right.dropFirst(prefix))
        let mergedID = merged.withUnsafeBufferPointer { vocabulary.id(of: $0) }
        guard mergedID >= 0 else { return merged.withUnsafeBufferPointer { Self.unknown($0) } }
        table.insert(left: leftID, right: rightID, rank: rank, merged: mergedID)
        rank += 1
        return nil
    }

    private static func unknown(_ token: UnsafeBufferPointer<UInt8>) -> String {
        "token \"\(String(decoding: token, as: UTF8.self))\" is not in the vocabulary"
    }
}
