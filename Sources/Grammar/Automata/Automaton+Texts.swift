extension Automaton {
    /// All texts that it takes, in the order of their scalars; nil where there are more than so many. It has to be trimmed.
    func texts(most: Int) -> [String]? {
        guard count > 0 else { return [] }
        var found: [String] = []
        var open: [(state: Int32, text: String.UnicodeScalarView)] = [(0, "".unicodeScalars)]
        while let (state, text) = open.popLast() {
            // Longer ones come by a state twice, and then as often as they like.
            guard text.count < count else { return nil }
            if accepting[Int(state)] { found.append(String(text)) }
            var next: [(state: Int32, text: String.UnicodeScalarView)] = []
            for (target, set) in scalarEdges(from: Int(state)) {
                for range in set.ranges {
                    // From every state some text is left to end with.
                    guard found.count + open.count + next.count + range.count <= most else { return nil }
                    for value in range {
                        guard let scalar = Unicode.Scalar(value) else { continue }
                        var longer = text
                        longer.append(scalar)
                        next.append((target, longer))
                    }
                }
            }
            open += next.sorted { $0.text.last! > $1.text.last! }
        }
        return found
    }
}
