/// Byte strings with a number each, for finding all of them that a text begins with. All nodes lie in three arrays: the
/// children of a node stand side by side, ordered by their byte.
struct PrefixTrie: Sendable {
    /// Byte that leads to a node.
    private var labels: [UInt8]
    /// Children of node `i` are `children[i] ..< children[i + 1]`.
    private var children: [Int32]
    /// Number of the string that ends at a node, -1 for none.
    private var values: [Int32]

    /// A trie of strings, whose numbers are their places; of equal strings the last counts.
    init(_ strings: [[UInt8]]) {
        labels = [0]
        children = []
        values = [-1]
        let order = strings.indices.sorted { left, right in
            strings[left].lexicographicallyPrecedes(strings[right]) || strings[left] == strings[right] && left < right
        }
        // Breadth first: the strings that pass through a node are neighbours in the order.
        var spans = [(range: order.startIndex..<order.endIndex, depth: 0)]
        var node = 0
        while node < spans.count {
            let (range, depth) = spans[node]
            children.append(Int32(labels.count))
            var at = range.lowerBound
            while at < range.upperBound, strings[order[at]].count == depth {
                values[node] = Int32(order[at])
                at += 1
            }
            while at < range.upperBound {
                let byte = strings[order[at]][depth]
                let start = at
                while at < range.upperBound, strings[order[at]][depth] == byte { at += 1 }
                labels.append(byte)
                values.append(-1)
                spans.append((start..<at, depth + 1))
            }
            node += 1
        }
        children.append(Int32(labels.count))
    }

    /// One more than the highest number.
    var count: Int { Int(values.max() ?? -1) + 1 }

    /// Reads what `pack` wrote; nil for what does not fit together.
    init?(unpacking reader: inout SectionReader) {
        guard let labels: [UInt8] = reader.next(), let children: [Int32] = reader.next(),
            let values: [Int32] = reader.next(), labels.count == values.count, children.count == labels.count + 1,
            children.last == Int32(labels.count)
        else { return nil }
        (self.labels, self.children, self.values) = (labels, children, values)
    }

    /// Writes the nodes as they are.
    func pack(into writer: inout SectionWriter) {
        writer.append(labels)
        writer.append(children)
        writer.append(values)
    }

    /// The node that all strings begin at.
    static let root = 0

    /// The node behind a beginning that some strings have in common.
    func node(behind beginning: [UInt8]) -> Int? {
        var node = Self.root
        for byte in beginning {
            guard let next = child(of: node, by: byte) else { return nil }
            node = next
        }
        return node
    }

    /// Calls `body` with the number and the length of each string that the text begins with from `start` on, shortest first;
    /// of strings that are looked for behind a node, the part behind it.
    func forEachPrefix(
        of text: UnsafeBufferPointer<UInt8>, from start: Int, at node: Int = root, _ body: (Int, Int) -> Void
    ) {
        var node = node
        var at = start
        while at < text.count, let next = child(of: node, by: text[at]) {
            node = next
            at += 1
            if values[node] >= 0 { body(Int(values[node]), at - start) }
        }
    }

    private func child(of node: Int, by byte: UInt8) -> Int? {
        var low = Int(children[node])
        var high = Int(children[node + 1])
        while low < high {
            let middle = (low + high) / 2
            if labels[middle] < byte { low = middle + 1 } else { high = middle }
        }
        return low < Int(children[node + 1]) && labels[low] == byte ? low : nil
    }
}
