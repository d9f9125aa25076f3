/// Text in which some words begin something else, and some must not stand. Bytes are not looked at otherwise.
struct FreeText {
    /// Where a text begins, where each trigger has just been read, and where the text may end.
    struct Nodes {
        let start: Int
        let triggers: [Int]
        let ends: Set<Int>
    }

    private let triggers: [[UInt8]]
    private let excludes: [[UInt8]]

    init(triggers: [String] = [], excludes: [String] = []) {
        self.triggers = triggers.map { Array($0.utf8) }
        self.excludes = excludes.map { Array($0.utf8) }
    }

    /// Such a text by itself.
    var expression: Expression {
        var graph = ExpressionGraph()
        let nodes = lay(in: &graph, specials: [])
        graph.join(0, .empty, nodes.start)
        graph.ends = nodes.ends
        return .graph(graph)
    }

    /// Adds the text to a graph: a node for each beginning of a word (Aho and Corasick's automaton).
    func lay(in graph: inout ExpressionGraph, specials: [[UInt8]]) -> Nodes {
        var prefixes: [[UInt8]: Int] = [[]: graph.node()]
        var order: [[UInt8]] = [[]]
        for word in triggers + excludes {
            for length in stride(from: 1, through: word.count, by: 1) {
                let prefix = Array(word.prefix(length))
                if prefixes[prefix] == nil {
                    prefixes[prefix] = graph.node()
                    order.append(prefix)
                }
            }
        }
        func isEnd(_ text: [UInt8], of words: [[UInt8]]) -> Bool {
            words.contains { text.count >= $0.count && text.suffix($0.count).elementsEqual($0) }
        }
        var ends: Set<Int> = []
        for prefix in order where !isEnd(prefix, of: triggers) && !isEnd(prefix, of: excludes) {
            let node = prefixes[prefix]!
            ends.insert(node)
            var targets: [Int: [ClosedRange<UInt8>]] = [:]
            for byte in 0...255 as ClosedRange<UInt8> {
                var text = prefix + [byte]
                if isEnd(text, of: excludes) { continue }
                while prefixes[text] == nil { text.removeFirst() }
                let target = prefixes[text]!
                if let last = targets[target]?.last, last.upperBound + 1 == byte {
                    targets[target]![targets[target]!.count - 1] = last.lowerBound...byte
                } else {
                    targets[target, default: []].append(byte...byte)
                }
            }
            for (target, bytes) in targets.sorted(by: { $0.key < $1.key }) { graph.join(node, .byte(bytes), target) }
            // A trigger that is a special token comes as one.
            for trigger in triggers where specials.contains(trigger) {
                graph.join(node, .marker(trigger), prefixes[trigger]!)
            }
        }
        // A word that ends with a trigger ends like it.
        let triggered = triggers.map { prefixes[$0]! }
        for prefix in order where prefixes[prefix].map({ !triggered.contains($0) }) ?? false {
            guard let index = triggers.firstIndex(where: { isEnd(prefix, of: [$0]) }), !isEnd(prefix, of: excludes)
            else { continue }
            graph.join(prefixes[prefix]!, .empty, triggered[index])
        }
        return Nodes(start: prefixes[[]]!, triggers: triggered, ends: ends)
    }
}
