/// The longest token first, from left to right (Devlin et al., arXiv:1810.04805): Hugging Face's `WordPiece` model.
struct WordPiece: Sendable {
    let vocabulary: Vocabulary
    /// The tokens by their spelling; numbers are ids.
    let pieces: PrefixTrie
    /// Stands for a word that has no spelling in tokens.
    let unknownID: Int32
    /// Words of more characters are unknown.
    let longestWord: Int
    /// Where in `pieces` a word goes on: behind the prefix of every token of a word but the first; nil where no token has it.
    private let continuation: Int?

    init(
        vocabulary: Vocabulary, pieces: PrefixTrie, unknownID: Int32, continuingPrefix: [UInt8], longestWord: Int
    ) {
        self.vocabulary = vocabulary
        self.pieces = pieces
        self.unknownID = unknownID
        self.longestWord = longestWord
        continuation = pieces.node(behind: continuingPrefix)
    }

    /// Appends the ids of one word.
    func encode(_ word: UnsafeBufferPointer<UInt8>, into ids: inout [Int32]) {
        if word.count(where: { $0 & 0xC0 != 0x80 }) > longestWord {
            ids.append(unknownID)
            return
        }
        let first = ids.count
        var start = 0
        while start < word.count {
            var longest: (id: Int, length: Int)?
            if let node = start == 0 ? PrefixTrie.root : continuation {
                pieces.forEachPrefix(of: word, from: start, at: node) { longest = ($0, $1) }
            }
            guard let longest else {
                ids.removeLast(ids.count - first)
                ids.append(unknownID)
                return
            }
            ids.append(Int32(longest.id))
            start += longest.length
        }
    }
}
