/// Lists of nodes, each kept once and numbered in the order in which they came.
struct NodeLists {
    /// All lists, one behind the other.
    private(set) var nodes: [Int32] = []
    private var ends: [Int32] = []
    /// Numbers by the hash of their lists, the next free place where two share one; -1: none. As many as a power of two.
    private var places = [Int32](repeating: -1, count: 64)

    /// How many there are.
    var count: Int { ends.count }

    /// Where a list lies in `nodes`.
    func range(_ number: Int) -> Range<Int> { (number == 0 ? 0 : Int(ends[number - 1]))..<Int(ends[number]) }

    /// The number of a list, which is added if it is not there yet.
    mutating func number(of list: [Int32]) -> Int32 {
        var place = Self.hash(list) & (places.count - 1)
        while places[place] >= 0 {
            if equals(Int(places[place]), list) { return places[place] }
            place = (place + 1) & (places.count - 1)
        }
        let number = Int32(ends.count)
        places[place] = number
        nodes.append(contentsOf: list)
        ends.append(Int32(nodes.count))
        if ends.count * 2 > places.count { grow() }
        return number
    }

    private func equals(_ number: Int, _ list: [Int32]) -> Bool {
        let range = range(number)
        guard range.count == list.count else { return false }
        for (index, place) in range.enumerated() where nodes[place] != list[index] { return false }
        return true
    }

    private mutating func grow() {
        places = Array(repeating: -1, count: places.count * 2)
        for number in 0..<ends.count {
            var place = Self.hash(nodes[range(number)]) & (places.count - 1)
            while places[place] >= 0 { place = (place + 1) & (places.count - 1) }
            places[place] = Int32(number)
        }
    }

    private static func hash(_ list: some Sequence<Int32>) -> Int {
        var hash: UInt64 = 0
        for node in list {
            hash = (hash ^ UInt64(UInt32(bitPattern: node))) &* 0x9E37_79B9_7F4A_7C15
            hash ^= hash >> 29
        }
        return Int(truncatingIfNeeded: hash ^ hash >> 32)
    }
}
