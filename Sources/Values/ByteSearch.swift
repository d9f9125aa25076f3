/// Searches in bytes. Unlike those of `String` they know no grapheme clusters: a match may begin inside one.
extension RandomAccessCollection where Element == UInt8, Index == Int {
    /// Where `pattern` stands for the first time at `start` or behind it; an empty pattern stands everywhere.
    @inlinable
    package func firstRange(
        ofBytes pattern: some RandomAccessCollection<UInt8>, from start: Int? = nil
    ) -> Range<Int>? {
        var at = start ?? startIndex
        guard let first = pattern.first else { return at..<at }
        let length = pattern.count
        while at + length <= endIndex {
            if self[at] == first, self[at..<at + length].elementsEqual(pattern) { return at..<at + length }
            at += 1
        }
        return nil
    }

    /// Where `pattern` stands for the last time; an empty pattern stands everywhere.
    @inlinable
    package func lastRange(ofBytes pattern: some RandomAccessCollection<UInt8>) -> Range<Int>? {
        guard let first = pattern.first else { return endIndex..<endIndex }
        let length = pattern.count
        var at = endIndex - length
        while at >= startIndex {
            if self[at] == first, self[at..<at + length].elementsEqual(pattern) { return at..<at + length }
            at -= 1
        }
        return nil
    }

    /// Whether `pattern` stands anywhere in these bytes.
    @inlinable
    package func holds(bytes pattern: some RandomAccessCollection<UInt8>) -> Bool {
        firstRange(ofBytes: pattern) != nil
    }
}
