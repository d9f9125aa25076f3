/// Text on its way through the pre-tokenizers: a buffer of well-formed UTF-8 and the pieces it is cut into, in order.
struct SplitText {
    private(set) var bytes: [UInt8]
    /// Pieces in order, none empty; bytes between them were removed.
    private(set) var pieces: [Range<Int>]
    /// Whether the first piece starts where the whole input starts.
    private(set) var opensInput: Bool

    /// One piece.
    init(_ bytes: [UInt8], opensInput: Bool) {
        self.bytes = bytes
        self.opensInput = opensInput
        pieces = bytes.isEmpty ? [] : [0..<bytes.count]
    }

    /// What becomes of the delimiters when a piece is split.
    enum Behavior: String {
        case removed = "Removed"
        case isolated = "Isolated"
        case mergedWithPrevious = "MergedWithPrevious"
        case mergedWithNext = "MergedWithNext"
        case contiguous = "Contiguous"
    }

    /// Splits every piece by itself at the matches that `find` reports, each match a delimiter; with `inverted` what
    /// lies between matches is.
    mutating func split(
        _ behavior: Behavior, inverted: Bool = false,
        find: (UnsafeBufferPointer<UInt8>, (Range<Int>) -> Void) -> Void
    ) {
        var result: [Range<Int>] = []
        result.reserveCapacity(pieces.count)
        var parts: [(range: Range<Int>, isDelimiter: Bool)] = []
        let firstStart = pieces.first?.lowerBound
        bytes.withUnsafeBufferPointer { buffer in
            for piece in pieces {
                let text = UnsafeBufferPointer(rebasing: buffer[piece])
                parts.removeAll(keepingCapacity: true)
                var end = 0
                find(text) { match in
                    if end < match.lowerBound { parts.append((end..<match.lowerBound, inverted)) }
                    parts.append((match, !inverted))
                    end = match.upperBound
                }
                if end < text.count { parts.append((end..<text.count, inverted)) }
                Self.gather(parts, behavior) { range in
                    if !range.isEmpty {
                        result.append(range.lowerBound + piece.lowerBound..<range.upperBound + piece.lowerBound)
                    }
                }
            }
        }
        pieces = result
        opensInput = opensInput && pieces.first?.lowerBound == firstStart
    }

    /// Joins delimiters and the text between them as the behavior says.
    private static func gather(
        _ parts: [(range: Range<Int>, isDelimiter: Bool)], _ behavior: Behavior, _ emit: (Range<Int>) -> Void
    ) {
        switch behavior {
        case .isolated:
            for part in parts { emit(part.range) }
        case .removed:
            for part in parts where !part.isDelimiter { emit(part.range) }
        case .contiguous, .mergedWithPrevious:
            var open: Range<Int>?
            var previous = false
            for part in parts {
                let joins =
                    behavior == .contiguous ? part.isDelimiter == previous : part.isDelimiter && !previous
                if joins, let range = open {
                    open = range.lowerBound..<part.range.upperBound
                } else {
                    if let range = open { emit(range) }
                    open = part.range
                }
                previous = part.isDelimiter
            }
            if let range = open { emit(range) }
        case .mergedWithNext:
            var joined: [Range<Int>] = []
            var previous = false
            for part in parts.reversed() {
                if part.isDelimiter, !previous, let last = joined.popLast() {
                    joined.append(part.range.lowerBound..<last.upperBound)
                } else {
                    joined.append(part.range)
                }
                previous = part.isDelimiter
            }
            for range in joined.reversed() { emit(range) }
        }
    }

    /// Writes every piece anew: `write` appends the replacement of a piece, told whether it opens the input.
    mutating func rewrite(_ write: (ArraySlice<UInt8>, _ opensInput: Bool, inout [UInt8]) -> Void) {
        var written: [UInt8] = []
        written.reserveCapacity(bytes.count + bytes.count / 4)
        var places: [Range<Int>] = []
        places.reserveCapacity(pieces.count)
        for (index, piece) in pieces.enumerated() {
            let start = written.count
            write(bytes[piece], index == 0 && opensInput, &written)
            if start < written.count { places.append(start..<written.count) }
        }
        bytes = written
        pieces = places
    }
}
