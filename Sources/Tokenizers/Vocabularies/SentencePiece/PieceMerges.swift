/// The merges of a vocabulary that does not list them: each way to put a token together from two others.
enum PieceMerges {
    /// Longer tokens have no merges: no published token is longer, and a damaged file must not cost quadratic time.
    private static let longestToken = 256

    /// A table of all merges, in the order of the tokens that they make, then from the shortest left part on.
    ///
    /// - Parameter tokens: Ids in the order in which they are preferred.
    static func table(of tokens: [Int32], in vocabulary: Vocabulary, parts isPart: (Int32) -> Bool) -> MergeTable {
        var found: [(left: Int32, right: Int32, merged: Int32)] = []
        for merged in tokens {
            guard let text = vocabulary.token(of: merged) else { continue }
            guard (2...longestToken).contains(text.count(where: beginsCharacter)) else { continue }
            for cut in text.indices.dropFirst() where beginsCharacter(text[cut]) {
                guard let left = vocabulary.id(of: text[..<cut]), isPart(left),
                    let right = vocabulary.id(of: text[cut...]), isPart(right)
                else { continue }
                found.append((left, right, merged))
            }
        }
        var table = MergeTable(capacity: found.count)
        for (rank, merge) in found.enumerated() {
            table.insert(left: merge.left, right: merge.right, rank: Int32(rank), merged: merge.merged)
        }
        return table
    }

    private static func beginsCharacter(_ byte: UInt8) -> Bool { byte & 0xC0 != 0x80 }
}
