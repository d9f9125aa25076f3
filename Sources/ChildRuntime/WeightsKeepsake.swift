internal import Glibc
package import Messages

/// Memory that the launcher keeps, in which rank 0 of the worker writes down which weights are served: for the workers that come
/// after it, all ranks alike, and for the fronts.
///
/// ```
/// mark · which of two places holds (64 bits each) · place 1 · place 2        a place: count of bytes · their checksum · the bytes
/// ```
/// What changes is written into the other place, then the word in the header, which commits. So a writer that dies leaves the old
/// or the new, wholly, and nobody needs a lock: one worker writes at a time.
package struct WeightsKeepsake: Sendable {
    private let descriptor: Int32

    /// Uses the memory behind a descriptor, or none if that is not open.
    package init(descriptor: Int32) { self.descriptor = descriptor }

    private static let mark: UInt64 = 0x3130_7468_6769_6577  // "weight01"
    private static let placeSize = 1 << 16
    /// Longest path that is kept, and longest name of weights.
    package static let longestText = 4096

    /// What was written last; nil while the weights are those of the start.
    package func read() -> ServedWeights? {
        // Between the word and its place another change may come about, but not again and again.
        for _ in 0..<100 {
            guard let header = words(at: 0), header[0] == Self.mark, header[1] == 1 || header[1] == 2 else {
                return nil
            }
            if let served = served(at: Int(header[1])) { return served }
        }
        return nil
    }

    /// Commits to other weights; false when there is no memory for that, and nothing has changed then.
    package func write(_ served: ServedWeights) -> Bool {
        let payload = served.encoded
        guard payload.count + 16 <= Self.placeSize else { return false }
        let header = words(at: 0)
        let place: UInt64 = header?[0] == Self.mark && header?[1] == 1 ? 2 : 1
        let sizes = [UInt64(payload.count), Self.checksum(payload)].withUnsafeBytes { Array($0) }
        guard write(sizes + payload, at: Self.offset(Int(place))) else { return false }
        return write([Self.mark, place].withUnsafeBytes { Array($0) }, at: 0)
    }

    private func served(at place: Int) -> ServedWeights? {
        guard let sizes = words(at: Self.offset(place)), sizes[0] <= UInt64(Self.placeSize - 16),
            let payload = read(at: Self.offset(place) + 16, count: Int(sizes[0])),
            Self.checksum(payload) == sizes[1]
        else { return nil }
        return ServedWeights(encoded: payload)
    }

    private static func offset(_ place: Int) -> Int { 4096 + (place - 1) * placeSize }

    private func words(at offset: Int) -> [UInt64]? {
        read(at: offset, count: 16)?.withUnsafeBytes { Array($0.bindMemory(to: UInt64.self)) }
    }

    private func read(at offset: Int, count: Int) -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: count)
        guard pread(descriptor, &bytes, count, off_t(offset)) == count else { return nil }
        return bytes
    }

    private func write(_ bytes: [UInt8], at offset: Int) -> Bool {
        pwrite(descriptor, bytes, bytes.count, off_t(offset)) == bytes.count
    }

    /// FNV-1a.
    private static func checksum(_ bytes: [UInt8]) -> UInt64 {
        bytes.reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
    }
}
