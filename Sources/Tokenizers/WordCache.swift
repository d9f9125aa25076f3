/// Ids of words seen before: a direct-mapped table of fixed size, so it never grows and a new word simply takes the
/// place of an older one. Long words and words of many tokens are not kept.
struct WordCache: ~Copyable {
    static let longestWord = 32
    static let mostTokens = 8
    private static let slotCount = 1 << 13

    private var hashes = [UInt64](repeating: 0, count: slotCount)
    /// Length of the word in the upper half, number of ids in the lower; 0 means empty.
    private var sizes = [UInt16](repeating: 0, count: slotCount)
    private var words = [UInt8](repeating: 0, count: slotCount * longestWord)
    private var ids = [Int32](repeating: 0, count: slotCount * mostTokens)

    /// Appends the ids of a word it knows and says so.
    borrowing func append(_ word: UnsafeBufferPointer<UInt8>, hash: UInt64, to output: inout [Int32]) -> Bool {
        let slot = Int(truncatingIfNeeded: hash) & (Self.slotCount - 1)
        guard hashes[slot] == hash, Int(sizes[slot] >> 8) == word.count else { return false }
        let start = slot * Self.longestWord
        for index in word.indices where words[start + index] != word[index] { return false }
        let first = slot * Self.mostTokens
        for index in first..<first + Int(sizes[slot] & 0xFF) { output.append(ids[index]) }
        return true
    }

    /// Keeps the ids of a word of 1 to `longestWord` bytes, if they are few.
    mutating func store(_ word: UnsafeBufferPointer<UInt8>, hash: UInt64, ids newIDs: ArraySlice<Int32>) {
        guard newIDs.count <= Self.mostTokens else { return }
        let slot = Int(truncatingIfNeeded: hash) & (Self.slotCount - 1)
        hashes[slot] = hash
        sizes[slot] = UInt16(word.count) << 8 | UInt16(newIDs.count)
        for index in word.indices { words[slot * Self.longestWord + index] = word[index] }
        for (index, id) in newIDs.enumerated() { ids[slot * Self.mostTokens + index] = id }
    }
}
