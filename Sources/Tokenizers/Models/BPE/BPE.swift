/// Byte-pair encoding (Sennrich et al., arXiv:1508.07909) with the options of Hugging Face's `BPE` model.
struct BPE: Sendable {
    /// How a model deviates from plain merging.
    struct Options: Sendable {
        /// Token for characters that are not in the vocabulary; without one they vanish.
        var unknownID: Int32?
        /// Whether neighbouring unknown characters become one token.
        var fusesUnknown = false
        /// Whether an unknown character is spelled in `<0xNN>` tokens.
        var fallsBackToBytes = false
        /// Whether a word that is a token is taken whole, without merging.
        var ignoresMerges = false
        /// Written in front of every character of a word but the first.
        var continuingPrefix: [UInt8] = []
        /// Written behind the last character of a word.
        var endOfWordSuffix: [UInt8] = []
    }

    let vocabulary: Vocabulary
    let merges: MergeTable
    let options: Options
    /// Ids of one-character tokens below U+0800, -1 for none.
    private let characterIDs: [Int32]
    /// Ids of `<0x00>` … `<0xFF>`, -1 for none.
    private let byteIDs: [Int32]

    init(vocabulary: Vocabulary, merges: MergeTable, options: Options) {
        self.vocabulary = vocabulary
        self.merges = merges
        self.options = options
        characterIDs = (0..<0x800).map { code in
            vocabulary.id(of: String(Unicode.Scalar(UInt32(code))!).utf8) ?? -1
        }
        byteIDs = ByteTokens.ids(in: vocabulary)
    }

    /// Appends the ids of one word of well-formed UTF-8.
    func encode(_ word: UnsafeBufferPointer<UInt8>, work: inout MergeWork, into ids: inout [Int32]) {
        let whole = options.ignoresMerges ? vocabulary.id(of: word) : -1
        if whole >= 0 {
            ids.append(whole)
            return
        }
        work.removeAll()
        appendSymbols(of: word, to: &work)
        work.merge(with: merges)
        work.appendIDs(to: &ids)
    }

    /// One symbol for each character, before any merge.
    private func appendSymbols(of word: UnsafeBufferPointer<UInt8>, to work: inout MergeWork) {
        var pendingUnknown: Int32?
        var at = 0
        while at < word.count {
            let (code, length) = scalar(in: word, at: at)
            let character = UnsafeBufferPointer(rebasing: word[at..<at + length])
            let id = symbol(code, character, isFirst: at == 0, isLast: at + length == word.count)
            at += length
            if id >= 0 {
                if let unknown = pendingUnknown {
                    work.append(unknown)
                    pendingUnknown = nil
                }
                work.append(id)
                continue
            }
            // As in the reference, byte tokens overtake an unknown token that is still pending.
            if options.fallsBackToBytes, appendBytes(of: character, isLast: at == word.count, to: &work) { continue }
            guard let unknown = options.unknownID else { continue }
            if pendingUnknown != nil, !options.fusesUnknown { work.append(unknown) }
            pendingUnknown = unknown
        }
        if let unknown = pendingUnknown { work.append(unknown) }
    }

    private func symbol(
        _ code: UInt32, _ character: UnsafeBufferPointer<UInt8>, isFirst: Bool, isLast: Bool
    ) -> Int32 {
        let prefix = isFirst ? [] : options.continuingPrefix
        let suffix = isLast ? options.endOfWordSuffix : []
        if prefix.isEmpty, suffix.isEmpty {
            return code < 0x800 ? characterIDs[Int(code)] : vocabulary.id(of: character)
        }
        return vocabulary.id(of: prefix + Array(character) + suffix) ?? -1
    }

    /// Spells a character in byte tokens, if the vocabulary has all of them.
    private func appendBytes(
        of character: UnsafeBufferPointer<UInt8>, isLast: Bool, to work: inout MergeWork
    ) -> Bool {
        let affixed = !options.endOfWordSuffix.isEmpty && isLast || !options.continuingPrefix.isEmpty
        let bytes = affixed && isLast ? Array(character) + options.endOfWordSuffix : Array(character)
        if bytes.contains(where: { byteIDs[Int($0)] < 0 }) { return false }
        for byte in bytes { work.append(byteIDs[Int(byte)]) }
        return true
    }
}
