package import Messages
package import Tokenizers
internal import Values

/// Follows the thinking part of one answer: counts its ids, and ends it where its budget is used up.
///
/// It is fed the ids in order, and what it says depends on them alone; so it is made anew with a request that comes again.
package struct ThinkingWatch: Sendable {
    private enum Phase: Sendable, Equatable {
        /// Not begun: it may never.
        case before
        /// Since the output id with this index.
        case inside(since: Int)
        case over
    }

    private let part: ThinkingPart
    private let opening: [[UInt8]]
    private let endings: [[UInt8]]
    /// Ids whose text can hold the longest marker: each has at least one byte, if it has text at all.
    private let window: Int
    /// Most ids of the thinking part.
    private let budget: Int?
    private var phase: Phase
    /// Output ids that were looked at.
    private var seen = 0
    /// Ids of the answer before the end of its thinking part; 0 where it has none.
    package private(set) var count = 0
    /// The ids of the end marker, once they were needed.
    private var marker: [Int32]?

    /// - Parameter maxNewTokens: most ids of the answer.
    package init(_ part: ThinkingPart, maxNewTokens: Int) {
        self.part = part
        opening = part.start.isEmpty ? [] : [Array(part.start.utf8)]
        endings = [part.end, part.calls].filter { !$0.isEmpty }.map { Array($0.utf8) }
        window = ((opening + endings).map(\.count).max() ?? 0) + 1
        let shares = part.hasShare ? [Int(Double(maxNewTokens) * part.share)] : []
        budget = (shares + (part.hasBudget ? [Int(part.budget)] : [])).min()
        phase = part.isOpen ? .inside(since: 0) : .before
    }

    /// Looks at the output ids that are new, and at the one behind them.
    package mutating func follow(_ output: ArraySlice<Int32>, _ next: Int32? = nil, _ tokenizer: Tokenizer) {
        let total = output.count + (next == nil ? 0 : 1)
        while seen < total, phase != .over {
            seen += 1
            let known = output.prefix(seen).suffix(seen > output.count ? window - 1 : window)
            look(Array(known) + (seen > output.count ? [next].compactMap { $0 } : []), tokenizer)
        }
        seen = total
    }

    /// The id that has to come next; nil: the model chooses. Everything before it was followed.
    package mutating func forced(_ tokenizer: Tokenizer) -> Int32? {
        guard let budget, case .inside(let since) = phase, seen >= max(budget, since) else { return nil }
        if marker == nil { marker = tokenizer.encode(part.end, addSpecialTokens: false) }
        let place = seen - max(budget, since)
        return place < marker!.count ? marker![place] : nil
    }

    /// Looks for a marker at the end of the ids, of which all but the last were looked at.
    private mutating func look(_ tail: [Int32], _ tokenizer: Tokenizer) {
        switch phase {
        case .before:
            guard length(of: opening, in: tail, tokenizer) != nil else { return }
            phase = .inside(since: seen)
            count = seen
        case .inside(let since):
            count = seen
            guard let length = length(of: endings, in: tail.suffix(seen - since), tokenizer) else { return }
            count -= length
            phase = .over
        case .over: break
        }
    }

    /// How many of the last ids spell one of the markers; nil: none is there.
    private func length(of markers: [[UInt8]], in tail: some Collection<Int32>, _ tokenizer: Tokenizer) -> Int? {
        let ids = Array(tail)
        func holds(_ count: Int) -> Bool {
            let text = Array(tokenizer.decode(ids.suffix(count), skipSpecialTokens: false).utf8)
            return markers.contains { text.holds(bytes: $0) }
        }
        guard holds(ids.count) else { return nil }
        return (1...ids.count).first(where: holds)
    }
}
