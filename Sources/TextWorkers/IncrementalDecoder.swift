internal import Tokenizers

/// Turns the ids of one request into text as they come.
///
/// SGLang's rules: a window of ids is decoded twice, without and with the new ids, and the difference is new text, unless it ends
/// in an unfinished character. Everything is counted in Unicode scalars, never in grapheme clusters: a combining mark that
/// arrives later must not shift the cut. Ids are taken one at a time, so that the text does not depend on how frames were cut.
package struct IncrementalDecoder: Sendable {
    /// How ids become text; skips special tokens or not as the request asked.
    package typealias Decode = (ArraySlice<Int32>) -> String

    /// Text that later ids cannot change.
    private var committed = ""
    /// Text of the pending ids that is printed although it may still grow.
    private var pending = ""
    private var ids: [Int32] = []
    /// ids[surrogate ..< read] is text already committed, or the prompt's, that gives the next ids their context.
    private var surrogate = 0
    private var read = 0
    /// Ids taken so far, in the request's whole output.
    package private(set) var count = 0

    /// A decoder of what follows `context`, the last ids of the prompt: they leave no text, but the first ids of the output may
    /// depend on them.
    package init(context: [Int32] = []) {
        ids = context
        read = context.count
    }

    /// All text so far, without an unfinished character at its end.
    package var text: String { committed + pending }

    /// Takes one more id.
    package mutating func append(_ id: Int32, decode: Decode) {
        count += 1
        ids.append(id)
        let new = newText(upTo: ids.count, decode)
        if !new.isEmpty, new.unicodeScalars.last != Self.replacement {
            commit(new, upTo: ids.count)
        } else if ids.count - read > Self.longestCharacter, let cut = firstSafeCut(new, decode) {
            commit(newText(upTo: cut, decode), upTo: cut)
            pending = Self.printablePrefix(newText(upTo: ids.count, decode))
        } else {
            pending = Self.printablePrefix(new)
        }
    }

    /// Takes an id that ends the request without leaving text.
    package mutating func appendSilently(_ id: Int32) { count += 1 }

    /// No more ids come: what was held back is text now.
    package mutating func finish(decode: Decode) {
        committed += newText(upTo: ids.count, decode)
        pending = ""
        ids = []
        (surrogate, read) = (0, 0)
    }

    private mutating func commit(_ new: String, upTo end: Int) {
        committed += new
        pending = ""
        surrogate = read
        read = end
        if surrogate > 0 {
            ids.removeFirst(surrogate)
            read -= surrogate
            surrogate = 0
        }
    }

    private func newText(upTo end: Int, _ decode: Decode) -> String {
        Continuation.text(of: decode(ids[surrogate..<end]), behind: decode(ids[surrogate..<read]))
    }

    /// Ids that never become a character would keep the window open for ever and make decoding quadratic: finds an end before which
    /// nothing can change any more, because the text falls apart there.
    private func firstSafeCut(_ new: String, _ decode: Decode) -> Int? {
        for cut in stride(from: ids.count - Self.longestCharacter, to: read, by: -1) {
            let left = newText(upTo: cut, decode)
            if !left.isEmpty, left + decode(ids[cut...]) == new { return cut }
        }
        return nil
    }

    private static let replacement: Unicode.Scalar = "\u{FFFD}"
    /// Bytes of the longest UTF-8 character, hence the most ids it can be spread over, and some to spare.
    private static let longestCharacter = 6

    /// The part of unfinished text that a reader may see: up to the last space or line end, or whole if Chinese characters end it.
    static func printablePrefix(_ text: String) -> String {
        let scalars = text.unicodeScalars
        guard let last = scalars.last else { return "" }
        if last == "\n" || isCJK(last) { return text }
        if scalars.count > 1, isCJK(scalars[scalars.index(scalars.endIndex, offsetBy: -2)]) {
            return String(scalars.dropLast())
        }
        guard let space = scalars.lastIndex(of: " ") else { return "" }
        return String(scalars[...space])
    }

    private static func isCJK(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x4E00...0x9FFF, 0x3400...0x4DBF, 0x20000...0x2A6DF, 0x2A700...0x2B73F, 0x2B740...0x2B81F,
            0x2B820...0x2CEAF,
            0xF900...0xFAFF, 0x2F800...0x2FA1F:
            true
        default: false
        }
    }
}
