/// Fills a `MergeTable` from pairs of tokens in the order of their ranks.
struct MergeTableBuilder {
    private let vocabulary: Vocabulary
    private let prefix: Int
    private var rank: Int32 = 0
    private(set) var table: MergeTable

    /// `prefix` bytes are dropped from the right token when two merge (`continuing_subword_prefix`).
    init(vocabulary: Vocabulary, prefix: Int = 0, capacity: Int) {
        self.vocabulary = vocabulary
        self.prefix = prefix
        table = MergeTable(capacity: capacity)
    }

    /// Adds "left right" and returns what is wrong with it, if anything.
    mutating func append(_ line: String) -> String? {
        let bytes = Array(line.utf8)
        guard let space = bytes.firstIndex(of: 0x20), space == bytes.lastIndex(of: 0x20) else {
            return "expected two tokens with one space between them, got \"\(line)\""
        }
        return append(Array(bytes[..<space]), Array(bytes[(space + 1)...]))
    }

    /// Adds a pair and returns what is wrong with it, if anything.
    mutating func append(_ left: [UInt8], _ right: [UInt8]) -> String? {
        guard let leftID = vocabulary.id(of: left) else { return Self.unknown(left) }
        guard let rightID = vocabulary.id(of: right) else { return Self.unknown(right) }
        if right.count < prefix { return "\"\(String(decoding: right, as: UTF8.self))\" lacks the subword prefix" }
        let merged = left + right.dropFirst(prefix)
        guard let mergedID = vocabulary.id(of: merged) else { return Self.unknown(merged) }
        table.insert(left: leftID, right: rightID, rank: rank, merged: mergedID)
        rank += 1
        return nil
    }

    private static func unknown(_ token: [UInt8]) -> String {
        "token \"\(String(decoding: token, as: UTF8.self))\" is not in the vocabulary"
    }
}
