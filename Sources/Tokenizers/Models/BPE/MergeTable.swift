/// What two neighbouring tokens merge into, and how early: a flat hash table from (left, right) to (rank, merged).
struct MergeTable: Sendable {
    private static let empty = UInt64.max
    private var keys: [UInt64]
    /// Rank in the upper half, merged id in the lower.
    private var values: [UInt64]

    /// Makes room for `capacity` merges; more may not be inserted.
    init(capacity: Int) {
        var size = 16
        while size < capacity * 2 { size *= 2 }
        keys = [UInt64](repeating: Self.empty, count: size)
        values = [UInt64](repeating: 0, count: size)
    }

    /// Reads what `pack` wrote; nil for what does not fit together.
    init?(unpacking reader: inout SectionReader) {
        guard let keys: [UInt64] = reader.next(), let values: [UInt64] = reader.next(), keys.count == values.count,
            keys.count.nonzeroBitCount == 1
        else { return nil }
        (self.keys, self.values) = (keys, values)
    }

    /// Writes the table as it is.
    func pack(into writer: inout SectionWriter) {
        writer.append(keys)
        writer.append(values)
    }

    /// Adds a merge; a pair given again takes the later rank.
    mutating func insert(left: Int32, right: Int32, rank: Int32, merged: Int32) {
        let key = Self.key(left, right)
        let slot = slot(of: key)
        keys[slot] = key
        values[slot] = UInt64(UInt32(bitPattern: rank)) << 32 | UInt64(UInt32(bitPattern: merged))
    }

    private static func key(_ left: Int32, _ right: Int32) -> UInt64 {
        UInt64(UInt32(bitPattern: left)) << 32 | UInt64(UInt32(bitPattern: right))
    }

    private func slot(of key: UInt64) -> Int {
        let mask = keys.count - 1
        let mixed = key &* 0x9E37_79B9_7F4A_7C15
        var slot = Int(truncatingIfNeeded: mixed ^ mixed >> 32) & mask
        while keys[slot] != key, keys[slot] != Self.empty { slot = (slot + 1) & mask }
        return slot
    }

    /// Rank (upper half) and merged id (lower half) of a pair, or `noMerge`.
    func merge(_ left: Int32, _ right: Int32) -> UInt64 {
        let slot = slot(of: Self.key(left, right))
        return keys[slot] == Self.empty ? Self.noMerge : values[slot]
    }

    /// What `merge` gives for a pair that never merges; it sorts behind every merge.
    static let noMerge = UInt64.max
}
