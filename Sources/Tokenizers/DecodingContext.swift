// Ids whose text depends on what stands before them.
extension Tokenizer {
    /// At most so many ids are looked at: what SGLang takes, and the bytes of an unfinished character.
    package static let contextLimit = 8

    /// The last of some ids, as far as the text of ids behind them depends on them.
    ///
    /// They begin where a character begins: with the unfinished one if the ids end inside of one, and otherwise as early as
    /// the limit allows, so that a decoder that treats the first token in its own way does not take the next one for it.
    package func context(_ ids: some BidirectionalCollection<Int32>) -> [Int32] {
        let tail = Array(ids.suffix(Self.contextLimit))
        let bytes = tail.map(tokenBytes)
        guard let last = bytes.lastIndex(where: { $0.contains(where: Self.beginsCharacter) }) else { return [] }
        let rest = bytes[last...].joined()
        let character = rest.suffix(from: rest.lastIndex(where: Self.beginsCharacter) ?? rest.startIndex)
        if let lead = character.first, character.count < Self.characterLength(lead) { return Array(tail[last...]) }
        let first = bytes.firstIndex { $0.first.map(Self.beginsCharacter) ?? false } ?? last
        return Array(tail[first...])
    }

    /// The text that ids add to that of `context`, the ids before them as `context(_:)` gives them.
    package func decode(_ ids: some Sequence<Int32>, after context: [Int32], skipSpecialTokens: Bool) -> String {
        if context.isEmpty { return decode(ids, skipSpecialTokens: skipSpecialTokens) }
        let start = decode(context, skipSpecialTokens: skipSpecialTokens)
        return Continuation.text(of: decode(context + ids, skipSpecialTokens: skipSpecialTokens), behind: start)
    }

    private static func beginsCharacter(_ byte: UInt8) -> Bool { byte & 0xC0 != 0x80 }

    /// Bytes of a character with this first byte.
    private static func characterLength(_ lead: UInt8) -> Int {
        switch lead {
        case 0xC2...0xDF: 2
        case 0xE0...0xEF: 3
        case 0xF0...0xF4: 4
        default: 1
        }
    }
}

/// A text that goes on: what is new in it.
package enum Continuation {
    /// What `whole` adds to `start`, in Unicode scalars.
    ///
    /// An unfinished character at the end of `start` counts as part of it even if it is whole now.
    package static func text(of whole: String, behind start: String) -> String {
        let old = start.unicodeScalars
        let new = whole.unicodeScalars
        guard old.last == "\u{FFFD}" else { return String(new.dropFirst(old.count)) }
        let same = zip(old, new).prefix { $0 == $1 }.count
        return String(new.dropFirst(same == old.count ? same : same + 1))
    }
}
