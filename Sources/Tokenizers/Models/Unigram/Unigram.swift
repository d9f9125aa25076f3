/// The likeliest way to cut a word into tokens (Kudo, arXiv:1804.10959): Hugging Face's `Unigram` model.
struct Unigram: Sendable {
    let vocabulary: Vocabulary
    /// The tokens by their spelling; numbers are ids.
    let pieces: PrefixTrie
    /// Logarithm of each token's probability, by id.
    let scores: [Double]
    /// Stands for characters that no token spells; without one they vanish.
    let unknownID: Int32?
    /// Ids of `<0x00>` … `<0xFF>`, where unknown characters are spelled in bytes.
    private let byteIDs: [Int32]
    /// Score of a character that no token spells.
    private let unknownScore: Double

    /// How far an unknown character falls behind the least likely token.
    private static let penalty = 10.0

    init(vocabulary: Vocabulary, pieces: PrefixTrie, scores: [Double], unknownID: Int32?, fallsBackToBytes: Bool) {
        self.vocabulary = vocabulary
        self.pieces = pieces
        self.scores = scores
        self.unknownID = unknownID
        unknownScore = (scores.min() ?? 0) - Self.penalty
        byteIDs = fallsBackToBytes ? ByteTokens.ids(in: vocabulary) : []
    }

    /// Appends the ids of one word.
    func encode(_ word: UnsafeBufferPointer<UInt8>, work: inout PathWork, into ids: inout [Int32]) {
        work.reset(length: word.count)
        var start = 0
        while start < word.count {
            let length = scalar(in: word, at: start).length
            let reached = work.scores[start]
            var hasCharacter = false
            pieces.forEachPrefix(of: word, from: start) { id, count in
                work.offer(reached + scores[id], id: Int32(id), from: start, to: start + count)
                if count == length { hasCharacter = true }
            }
            if !hasCharacter {
                work.offer(reached + unknownScore, id: PathWork.unknown, from: start, to: start + length)
            }
            start += length
        }
        for (range, id) in work.path(fusing: unknownID) { append(word, range, id, to: &ids) }
    }

    /// Unknown characters in a row are one piece, which may be a token after all.
    private func append(
        _ word: UnsafeBufferPointer<UInt8>, _ range: Range<Int>, _ id: Int32, to ids: inout [Int32]
    ) {
        if id >= 0, id != unknownID {
            ids.append(id)
            return
        }
        let piece = UnsafeBufferPointer(rebasing: word[range])
        let known = vocabulary.id(of: piece)
        if known >= 0 {
            ids.append(known)
        } else if !byteIDs.isEmpty, piece.allSatisfy({ byteIDs[Int($0)] >= 0 }) {
            for byte in piece { ids.append(byteIDs[Int(byte)]) }
        } else if let unknownID {
            ids.append(unknownID)
        }
    }
}

/// The best ways found so far to each place in a word; kept between words for its memory.
struct PathWork {
    /// Stands for a character that is no token.
    static let unknown: Int32 = -1

    private(set) var scores: [Double] = []
    private var starts: [Int32] = []
    private var ids: [Int32] = []

    /// Forgets everything and makes room for a word of so many bytes.
    mutating func reset(length: Int) {
        scores.removeAll(keepingCapacity: true)
        starts.removeAll(keepingCapacity: true)
        ids.removeAll(keepingCapacity: true)
        scores.append(contentsOf: repeatElement(0, count: length + 1))
        starts.append(contentsOf: repeatElement(-1, count: length + 1))
        ids.append(contentsOf: repeatElement(Self.unknown, count: length + 1))
    }

    /// Takes a token as the last step to a place if it is the first or a better one.
    mutating func offer(_ score: Double, id: Int32, from start: Int, to end: Int) {
        guard starts[end] < 0 || score > scores[end] else { return }
        scores[end] = score
        starts[end] = Int32(start)
        ids[end] = id
    }

    /// The steps to the end, with neighbouring unknown ones taken together.
    func path(fusing unknownID: Int32?) -> [(range: Range<Int>, id: Int32)] {
        var steps: [(range: Range<Int>, id: Int32)] = []
        var end = starts.count - 1
        while end > 0 {
            let start = Int(starts[end])
            let isUnknown = ids[end] < 0 || ids[end] == unknownID
            if isUnknown, unknownID != nil, let last = steps.last, last.id < 0 || last.id == unknownID {
                steps[steps.count - 1].range = start..<last.range.upperBound
            } else {
                steps.append((start..<end, ids[end]))
            }
            end = start
        }
        return steps.reversed()
    }
}
