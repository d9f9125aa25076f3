/// How a word becomes ids: the `model` of tokenizer.json.
enum SubwordModel: Sendable {
    case bpe(BPE)
    case wordPiece(WordPiece)
    case unigram(Unigram)

    /// The tokens and their ids.
    var vocabulary: Vocabulary {
        switch self {
        case .bpe(let model): model.vocabulary
        case .wordPiece(let model): model.vocabulary
        case .unigram(let model): model.vocabulary
        }
    }

    /// The large tables it works on.
    var tables: TokenizerTables {
        switch self {
        case .bpe(let model): TokenizerTables(vocabulary: model.vocabulary, merges: model.merges)
        case .wordPiece(let model): TokenizerTables(vocabulary: model.vocabulary, pieces: model.pieces)
        case .unigram(let model):
            TokenizerTables(vocabulary: model.vocabulary, pieces: model.pieces, scores: model.scores)
        }
    }

    /// Appends the ids of one word of well-formed UTF-8, using and filling the cache if there is one.
    func encode(
        _ word: UnsafeBufferPointer<UInt8>, work: inout SubwordWork, cache: inout WordCache?, into ids: inout [Int32]
    ) {
        if word.isEmpty { return }
        let cacheable = word.count <= WordCache.longestWord
        let hash = cacheable ? hashOfBytes(word) : 0
        if cacheable, let known = cache?.append(word, hash: hash, to: &ids), known { return }
        let first = ids.count
        switch self {
        case .bpe(let model): model.encode(word, work: &work.merges, into: &ids)
        case .wordPiece(let model): model.encode(word, into: &ids)
        case .unigram(let model): model.encode(word, work: &work.paths, into: &ids)
        }
        if cacheable { cache?.store(word, hash: hash, ids: ids[first...]) }
    }
}

/// What the models need room for, kept between words.
struct SubwordWork {
    var merges = MergeWork()
    var paths = PathWork()
}
