/// What a model gets of one text or two.
package struct TokenizedInput: Sendable, Equatable {
    package var ids: [Int32]
    /// Which text an id belongs to, as the model counts them.
    package var types: [Int32]
    /// Some of the text was left out.
    package var isTruncated: Bool
}

/// How much of one text, or two, is kept when they are longer than a model takes: the rules of Hugging Face's tokenizers.
package struct Truncation: Sendable, Equatable {
    /// Which of two texts is cut.
    package enum Strategy: Sendable {
        /// The longer one, then both.
        case longestFirst
        case onlyFirst
        case onlySecond
    }

    /// Ids that may be left, special tokens included.
    package var limit: Int
    package var strategy: Strategy
    /// The end of a text is kept instead of its start.
    package var keepsEnd: Bool

    package init(limit: Int, strategy: Strategy = .longestFirst, keepsEnd: Bool = false) {
        self.limit = limit
        self.strategy = strategy
        self.keepsEnd = keepsEnd
    }

    /// The text that alone may be cut is too short to be cut so far.
    package struct TooShort: Error, Equatable {
        package init() {}
    }

    /// Cuts the ids of one text or two to `limit` without the `added` special tokens.
    func apply(to first: inout [Int32], _ second: inout [Int32]?, added: Int) throws(TooShort) {
        let room = max(0, limit - added)
        let total = first.count + (second?.count ?? 0)
        guard total > room else { return }
        if room == 0 {
            first = []
            second = second.map { _ in [] }
            return
        }
        switch strategy {
        case .longestFirst:
            let kept = Self.share(room, first.count, second?.count)
            cut(&first, to: kept.first)
            if second != nil { cut(&second!, to: kept.second) }
        case .onlyFirst:
            let kept = first.count - (total - room)
            if kept <= 0 { throw TooShort() }
            cut(&first, to: kept)
        case .onlySecond:
            let kept = (second?.count ?? 0) - (total - room)
            if kept <= 0 || second == nil { throw TooShort() }
            cut(&second!, to: kept)
        }
    }

    private func cut(_ ids: inout [Int32], to count: Int) {
        guard count < ids.count else { return }
        if keepsEnd { ids.removeFirst(ids.count - max(0, count)) } else { ids.removeLast(ids.count - max(0, count)) }
    }

    /// The shorter text stays whole if it takes no more than half of the room.
    private static func share(_ room: Int, _ first: Int, _ second: Int?) -> (first: Int, second: Int) {
        guard let second else { return (room, 0) }
        let shorter = min(first, second)
        var kept = (shorter: shorter, longer: shorter > room ? shorter : max(shorter, room - shorter))
        if kept.shorter + kept.longer > room { kept = (room / 2, room / 2 + room % 2) }
        return first > second ? (kept.longer, kept.shorter) : (kept.shorter, kept.longer)
    }
}
