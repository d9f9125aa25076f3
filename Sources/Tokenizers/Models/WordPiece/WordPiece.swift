/// The longest token first, from left to right (Devlin et al., arXiv:1810.04805): Hugging Face's `WordPiece` model.
struct WordPiece: Sendable {
    let vocabulary: Vocabulary
    /// Stands for a word that has no spelling in tokens.
    let unknownID: Int32
    /// Written in front of every token of a word but the first.
    let continuingPrefix: [UInt8]
    /// Words of more characters are unknown.
    let longestWord: Int

    /// Appends the ids of one word.
    func encode(_ word: UnsafeBufferPointer<UInt8>, into ids: inout [Int32]) {
        if word.count(where: { $0 & 0xC0 != 0x80 }) > longestWord {
            ids.append(unknownID)
            return
        }
        let first = ids.count
        var candidate: [UInt8] = []
        var start = 0
        while start < word.count {
            candidate.removeAll(keepingCapacity: true)
            if start > 0 { candidate += continuingPrefix }
            let prefix = candidate.count
            candidate += word[start...]
            var end = word.count
            var id: Int32 = -1
            while end > start {
                id = candidate.withUnsafeBufferPointer {
                    vocabulary.id(of: UnsafeBufferPointer(rebasing: $0[..<(prefix + end - start)]))
                }
                if id >= 0 { break }
                end = startOfScalar(in: word, before: end)
            }
            guard id >= 0 else {
                ids.removeLast(ids.count - first)
                ids.append(unknownID)
                return
            }
            ids.append(id)
            start = end
        }
    }
}
