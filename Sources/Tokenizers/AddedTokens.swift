/// A token that is found in the text itself, before the model splits anything.
struct AddedToken: Sendable, Equatable {
    var content: [UInt8]
    var id: Int32
    /// Only where no word character touches it.
    var isSingleWord = false
    /// Takes the white space to its left with it.
    var stripsLeft = false
    /// Takes the white space to its right with it.
    var stripsRight = false
    /// Looked for in normalized text, by its normalized content.
    var isNormalized = false
    /// Skipped when ids are decoded without special tokens.
    var isSpecial = false
}

/// Finds added tokens in text: leftmost first, of those the longest.
struct AddedTokenMatcher: Sendable {
    private let tokens: [AddedToken]
    /// A trie: (node, byte) to node, in one dictionary.
    private var edges: [UInt64: Int32] = [:]
    /// Index in `tokens` of the token that ends at a node, -1 for none.
    private var ends: [Int32] = [-1]
    /// Nodes of the first bytes, so that most bytes of a text cost one look.
    private var roots = [Int32](repeating: -1, count: 256)

    /// A matcher of tokens by the given spellings; of equal spellings the later wins.
    init(_ tokens: [AddedToken], spelling: (AddedToken) -> [UInt8]) {
        self.tokens = tokens
        for (index, token) in tokens.enumerated() {
            let bytes = spelling(token)
            guard !bytes.isEmpty else { continue }
            var node: Int32 = 0
            for (depth, byte) in bytes.enumerated() {
                node = depth == 0 ? makeRoot(byte) : makeEdge(node, byte)
            }
            ends[Int(node)] = Int32(index)
        }
    }

    var isEmpty: Bool { tokens.isEmpty }

    private mutating func makeRoot(_ byte: UInt8) -> Int32 {
        if roots[Int(byte)] < 0 { roots[Int(byte)] = makeNode() }
        return roots[Int(byte)]
    }

    private mutating func makeEdge(_ node: Int32, _ byte: UInt8) -> Int32 {
        let key = UInt64(node) << 8 | UInt64(byte)
        if let child = edges[key] { return child }
        let child = makeNode()
        edges[key] = child
        return child
    }

    private mutating func makeNode() -> Int32 {
        ends.append(-1)
        return Int32(ends.count - 1)
    }

    /// A stretch of text: an added token, or text without any.
    struct Segment {
        var range: Range<Int>
        /// Nil for ordinary text.
        var id: Int32?
    }

    /// Cuts text into added tokens and what lies between them.
    func segments(of text: UnsafeBufferPointer<UInt8>) -> [Segment] {
        if tokens.isEmpty { return text.isEmpty ? [] : [Segment(range: 0..<text.count, id: nil)] }
        var segments: [Segment] = []
        var end = 0
        var at = 0
        while let match = nextMatch(in: text, from: &at) {
            let token = tokens[match.token]
            if token.isSingleWord, touchesWord(match.range, in: text) { continue }
            var range = match.range
            if token.stripsLeft {
                let start = max(startOfTrailingWhitespace(in: text, upTo: range.lowerBound), end)
                range = min(start, range.upperBound)..<range.upperBound
            }
            if token.stripsRight { range = range.lowerBound..<spanOfWhitespace(in: text, from: range.upperBound) }
            if end < range.lowerBound { segments.append(Segment(range: end..<range.lowerBound, id: nil)) }
            segments.append(Segment(range: range, id: token.id))
            end = range.upperBound
        }
        if end < text.count { segments.append(Segment(range: end..<text.count, id: nil)) }
        return segments
    }

    /// The first match at or after `from`, which moves behind it.
    private func nextMatch(
        in text: UnsafeBufferPointer<UInt8>, from: inout Int
    ) -> (token: Int, range: Range<Int>)? {
        while from < text.count {
            var node = roots[Int(text[from])]
            var at = from + 1
            var best: (token: Int, range: Range<Int>)?
            while node >= 0 {
                let token = ends[Int(node)]
                if token >= 0 { best = (Int(token), from..<at) }
                guard at < text.count else { break }
                node = edges[UInt64(node) << 8 | UInt64(text[at])] ?? -1
                at += 1
            }
            if let best {
                from = best.range.upperBound
                return best
            }
            from += 1
        }
        return nil
    }

    private func touchesWord(_ range: Range<Int>, in text: UnsafeBufferPointer<UInt8>) -> Bool {
        if range.lowerBound > 0 {
            let start = startOfScalar(in: text, before: range.lowerBound)
            if CharacterClass.isWord(scalar(in: text, at: start).code) { return true }
        }
        return range.upperBound < text.count && CharacterClass.isWord(scalar(in: text, at: range.upperBound).code)
    }
}
