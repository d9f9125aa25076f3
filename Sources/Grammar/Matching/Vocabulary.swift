/// The tokens of a tokenizer as bytes, in a tree by their beginnings. Special tokens stand apart: they are no text.
package struct Vocabulary: Sendable {
    /// A token's bytes, and whether it is special.
    package struct Token: Sendable {
        package let bytes: [UInt8]
        package let isSpecial: Bool

        /// A token; one without bytes is never chosen.
        package init(bytes: [UInt8], isSpecial: Bool = false) {
            self.bytes = bytes
            self.isSpecial = isSpecial
        }
    }

    /// Ids are below this.
    package let size: Int
    /// Words of a bit for each id.
    package var wordCount: Int { (size + 63) / 64 }
    let texts: TokenTree
    let specials: TokenTree
    private let bytes: [UInt8]
    private let starts: [Int32]
    private let isSpecial: [Bool]

    /// Builds the tree of tokens; the index of each is its id.
    package init(_ tokens: [Token]) {
        size = tokens.count
        var bytes: [UInt8] = []
        bytes.reserveCapacity(tokens.reduce(0) { $0 + $1.bytes.count })
        var starts: [Int32] = [0]
        starts.reserveCapacity(tokens.count + 1)
        for token in tokens {
            bytes.append(contentsOf: token.bytes)
            starts.append(Int32(bytes.count))
        }
        self.bytes = bytes
        self.starts = starts
        isSpecial = tokens.map(\.isSpecial)
        texts = TokenTree(bytes, starts, ids: tokens.indices.filter { !tokens[$0].isSpecial })
        specials = TokenTree(bytes, starts, ids: tokens.indices.filter { tokens[$0].isSpecial })
    }

    /// The bytes of a token; none for an id that there is not.
    package func bytes(of id: Int32) -> ArraySlice<UInt8> {
        guard id >= 0, Int(id) < size else { return [] }
        return bytes[Int(starts[Int(id)])..<Int(starts[Int(id) + 1])]
    }

    /// The token that is text and has these bytes, the first of several; nil: there is none.
    package func id(of text: some Collection<UInt8>) -> Int32? { texts.id(of: text) }

    /// The longest token that is text and that some bytes begin with; nil: there is none.
    package func longest(beginning bytes: some Collection<UInt8>) -> Int32? {
        texts.path(of: bytes).last { texts.idStart[$0] < texts.idStart[$0 + 1] }.map {
            texts.ids[Int(texts.idStart[$0])]
        }
    }

    /// Whether some token that is text begins with these bytes and is longer.
    package func goesOn(beyond bytes: some Collection<UInt8>) -> Bool {
        let path = texts.path(of: bytes)
        return path.count == bytes.count && path.last.map { Int(texts.past[$0]) > $0 + 1 } ?? false
    }

    /// Whether a token is no text.
    package func isSpecial(_ id: Int32) -> Bool { id >= 0 && Int(id) < size && isSpecial[Int(id)] }
}

extension Grammar {
    /// After one more token; nil where it may not come.
    package func state(_ state: GrammarState, after id: Int32, of vocabulary: Vocabulary) -> GrammarState? {
        let bytes = vocabulary.bytes(of: id)
        if bytes.isEmpty { return nil }
        return vocabulary.isSpecial(id) ? self.state(state, afterSpecial: bytes) : self.state(state, after: bytes)
    }
}

/// Texts in the order of a walk in depth: a node, then all below it.
struct TokenTree: Sendable {
    /// The last byte of each node.
    private(set) var byte: [UInt8] = []
    /// How many bytes lead to each node.
    private(set) var depth: [UInt16] = []
    /// The node behind all that lie below each.
    private(set) var past: [Int32] = []
    /// Where the ids of each node begin in `ids`, and the end of the last.
    private(set) var idStart: [Int32] = []
    /// Ids in the order of the nodes.
    private(set) var ids: [Int32] = []
    /// The longest text.
    private(set) var mostDepth = 0

    /// How many nodes there are.
    var count: Int { byte.count }

    /// The tree of some tokens, whose bytes lie one behind the other.
    init(_ bytes: [UInt8], _ starts: [Int32], ids: [Int]) {
        let order = Self.sorted(bytes, starts, ids)
        self.ids.reserveCapacity(order.count)
        var open: [Int32] = []
        var last: Range<Int> = 0..<0
        for id in order {
            let text = Int(starts[id])..<Int(starts[id + 1])
            var common = 0
            let most = min(text.count, last.count)
            while common < most, bytes[text.lowerBound + common] == bytes[last.lowerBound + common] { common += 1 }
            close(&open, to: common)
            for place in text.dropFirst(common) {
                open.append(Int32(byte.count))
                byte.append(bytes[place])
                depth.append(UInt16(clamping: open.count))
                past.append(0)
                idStart.append(Int32(self.ids.count))
            }
            mostDepth = max(mostDepth, text.count)
            self.ids.append(Int32(id))
            last = text
        }
        close(&open, to: 0)
        idStart.append(Int32(self.ids.count))
    }

    /// The first id of a text.
    func id(of text: some Collection<UInt8>) -> Int32? {
        let path = path(of: text)
        guard path.count == text.count, let found = path.last, idStart[found] < idStart[found + 1] else { return nil }
        return ids[Int(idStart[found])]
    }

    /// The nodes that a text leads through, as far as there are such.
    func path(of text: some Collection<UInt8>) -> [Int] {
        var path: [Int] = []
        var node = 0
        for (level, wanted) in text.enumerated() {
            let end = path.last.map { Int(past[$0]) } ?? count
            while node < end, Int(depth[node]) != level + 1 || byte[node] != wanted { node = Int(past[node]) }
            guard node < end else { break }
            path.append(node)
            node += 1
        }
        return path
    }

    private mutating func close(_ open: inout [Int32], to depth: Int) {
        while open.count > depth { past[Int(open.removeLast())] = Int32(byte.count) }
    }

    /// Ids in the order of their bytes. Most are told apart by the first eight, which are compared as one number.
    private static func sorted(_ bytes: [UInt8], _ starts: [Int32], _ ids: [Int]) -> [Int] {
        struct Entry {
            let key: UInt64
            let id: Int32
        }
        var entries: [Entry] = []
        entries.reserveCapacity(ids.count)
        for id in ids {
            let text = Int(starts[id])..<Int(starts[id + 1])
            // Longer ones could not be told by their depth; none is met in a vocabulary.
            if text.isEmpty || text.count > 4_000 { continue }
            var key: UInt64 = 0
            for place in 0..<8 { key = key << 8 | (place < text.count ? UInt64(bytes[text.lowerBound + place]) : 0) }
            entries.append(Entry(key: key, id: Int32(id)))
        }
        entries.sort { one, other in
            if one.key != other.key { return one.key < other.key }
            let mine = bytes[Int(starts[Int(one.id)])..<Int(starts[Int(one.id) + 1])]
            let others = bytes[Int(starts[Int(other.id)])..<Int(starts[Int(other.id) + 1])]
            if mine.elementsEqual(others) { return one.id < other.id }
            return mine.lexicographicallyPrecedes(others)
        }
        return entries.map { Int($0.id) }
    }
}
