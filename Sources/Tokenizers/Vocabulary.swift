/// Tokens as byte strings, both ways: the id of a token, the token of an id. All bytes lie in one buffer.
struct Vocabulary: Sendable {
    /// Ids are below this; it bounds what a damaged file can make us allocate.
    static let idLimit = 1 << 24

    private var bytes: [UInt8] = []
    /// Token `i` in the order of insertion is `bytes[starts[i] ..< starts[i + 1]]`.
    private var starts: [Int] = [0]
    private var ids: [Int32] = []
    /// Entry of each id, -1 where there is none.
    private var entries: [Int32] = []
    /// Hash table of entries with linear probing, -1 where empty; its size is a power of two.
    private var slots: [Int32]

    /// Makes room for `capacity` tokens.
    init(capacity: Int) {
        var size = 16
        while size < capacity * 2 { size *= 2 }
        slots = [Int32](repeating: -1, count: size)
    }

    /// Reads what `pack` wrote; nil for what does not fit together.
    init?(unpacking reader: inout SectionReader) {
        guard let bytes: [UInt8] = reader.next(), let starts: [Int] = reader.next(), let ids: [Int32] = reader.next(),
            let entries: [Int32] = reader.next(), let slots: [Int32] = reader.next(), starts.count == ids.count + 1,
            starts.last == bytes.count, slots.count > ids.count, slots.count.nonzeroBitCount == 1
        else { return nil }
        (self.bytes, self.starts, self.ids, self.entries, self.slots) = (bytes, starts, ids, entries, slots)
    }

    /// Writes the tables as they are.
    func pack(into writer: inout SectionWriter) {
        writer.append(bytes)
        writer.append(starts)
        writer.append(ids)
        writer.append(entries)
        writer.append(slots)
    }

    /// One more than the highest id.
    var idCount: Int { entries.count }

    /// How many different tokens there are.
    var count: Int { ids.count }

    /// Adds a token or gives it another id. The id is within `0 ..< idLimit`.
    mutating func insert(_ token: some Collection<UInt8>, id: Int32) {
        let copy = ContiguousArray(token)
        copy.withUnsafeBufferPointer { insert($0, id: id) }
    }

    private mutating func insert(_ token: UnsafeBufferPointer<UInt8>, id: Int32) {
        precondition(id >= 0 && id < Self.idLimit)
        let slot = slot(of: token)
        var entry = slots[slot]
        if entry < 0 {
            entry = Int32(ids.count)
            bytes.append(contentsOf: token)
            starts.append(bytes.count)
            ids.append(id)
            slots[slot] = entry
            if ids.count * 2 > slots.count { grow() }
        } else {
            ids[Int(entry)] = id
        }
        while entries.count <= Int(id) { entries.append(-1) }
        entries[Int(id)] = entry
    }

    private mutating func grow() {
        slots = [Int32](repeating: -1, count: slots.count * 2)
        for entry in ids.indices {
            let range = starts[entry]..<starts[entry + 1]
            let slot = bytes.withUnsafeBufferPointer { self.slot(of: UnsafeBufferPointer(rebasing: $0[range])) }
            slots[slot] = Int32(entry)
        }
    }

    /// The slot that holds the token, or the empty one where it would go.
    private func slot(of token: UnsafeBufferPointer<UInt8>) -> Int {
        let mask = slots.count - 1
        var slot = Int(truncatingIfNeeded: hashOfBytes(token)) & mask
        while true {
            let entry = Int(slots[slot])
            if entry < 0 { return slot }
            let start = starts[entry]
            if starts[entry + 1] - start == token.count {
                let equal = bytes.withUnsafeBufferPointer { all in
                    equalBytes(UnsafeBufferPointer(rebasing: all[start..<start + token.count]), token)
                }
                if equal { return slot }
            }
            slot = (slot + 1) & mask
        }
    }

    /// The id of a token, -1 if there is none.
    func id(of token: UnsafeBufferPointer<UInt8>) -> Int32 {
        let entry = slots[slot(of: token)]
        return entry < 0 ? -1 : ids[Int(entry)]
    }

    /// The id of a token.
    func id(of token: some Collection<UInt8>) -> Int32? {
        let id = ContiguousArray(token).withUnsafeBufferPointer { self.id(of: $0) }
        return id < 0 ? nil : id
    }

    /// The bytes of an id's token.
    func token(of id: Int32) -> ArraySlice<UInt8>? {
        guard id >= 0, Int(id) < entries.count, entries[Int(id)] >= 0 else { return nil }
        let entry = Int(entries[Int(id)])
        return bytes[starts[entry]..<starts[entry + 1]]
    }
}

/// A quick hash of trusted keys (vocabularies and cached words); it is not proof against chosen collisions.
func hashOfBytes(_ bytes: UnsafeBufferPointer<UInt8>) -> UInt64 {
    let multiplier: UInt64 = 0x9E37_79B9_7F4A_7C15
    let raw = UnsafeRawBufferPointer(bytes)
    var hash = UInt64(raw.count) &* multiplier
    var at = 0
    while at + 8 <= raw.count {
        hash = (hash ^ raw.loadUnaligned(fromByteOffset: at, as: UInt64.self)) &* multiplier
        hash ^= hash >> 32
        at += 8
    }
    var tail: UInt64 = 0
    while at < raw.count {
        tail = tail << 8 | UInt64(raw[at])
        at += 1
    }
    hash = (hash ^ tail) &* multiplier
    return hash ^ hash >> 29
}

/// Whether two buffers of equal length hold the same bytes.
func equalBytes(_ a: UnsafeBufferPointer<UInt8>, _ b: UnsafeBufferPointer<UInt8>) -> Bool {
    for index in a.indices where a[index] != b[index] { return false }
    return true
}
