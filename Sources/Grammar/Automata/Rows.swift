/// Lists that belong to nodes, one behind the other.
struct Rows<Element> {
    private var starts: [Int32]
    /// The elements, node by node.
    private(set) var elements: [Element]

    /// Sorts elements by their nodes, of which there are `count`.
    init<Source>(
        _ count: Int, _ sources: [Source], from: (Source) -> Int32, _ make: (Source) -> Element
    ) {
        starts = Array(repeating: 0, count: count + 1)
        for source in sources { starts[Int(from(source)) + 1] += 1 }
        for index in 0..<count { starts[index + 1] += starts[index] }
        var places = starts
        var order = [Int32](repeating: 0, count: sources.count)
        for (index, source) in sources.enumerated() {
            let node = Int(from(source))
            order[Int(places[node])] = Int32(index)
            places[node] += 1
        }
        elements = order.map { make(sources[Int($0)]) }
    }

    /// Where the elements of a node lie.
    func range(_ node: Int32) -> Range<Int> { Int(starts[Int(node)])..<Int(starts[Int(node) + 1]) }
}
