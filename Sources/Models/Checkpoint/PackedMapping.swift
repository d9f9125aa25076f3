import Dispatch
import Glibc

/// A stretch of memory from `mmap`, unmapped in `deinit`: a cache file, or anonymous pages.
final class PackedMapping: Sendable {
    /// Length in bytes, at least one page.
    let count: Int
    // Written only by the builder before anybody else sees the mapping, then protected against writing.
    private nonisolated(unsafe) let base: UnsafeMutableRawPointer

    /// Maps the first `count` bytes of an open file, shared.
    init?(descriptor: Int32, count: Int, isWritable: Bool) {
        let protection = isWritable ? PROT_READ | PROT_WRITE : PROT_READ
        guard let address = mmap(nil, count, protection, MAP_SHARED, descriptor, 0), address != MAP_FAILED else {
            return nil
        }
        base = address
        self.count = count
    }

    /// Maps zeroed anonymous memory, in huge pages where the kernel likes.
    init?(anonymous count: Int) {
        guard
            let address = mmap(nil, count, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0),
            address != MAP_FAILED
        else { return nil }
        madvise(address, count, MADV_HUGEPAGE)
        base = address
        self.count = count
    }

    deinit { munmap(base, count) }

    /// The bytes; valid while this value lives.
    var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: base, count: count) }

    /// The bytes, for the builder.
    var mutableBytes: UnsafeMutableRawBufferPointer { UnsafeMutableRawBufferPointer(start: base, count: count) }

    /// From here on a stray write ends the process instead of changing weights.
    func protect() {
        mprotect(base, count, PROT_READ)
    }

    /// Writes changed pages of a shared mapping to the file.
    func synchronize() -> Bool {
        msync(base, count, MS_SYNC) == 0
    }

    /// Enters the pages into the page table now, on several threads, so that the first forward pass takes no page
    /// faults.
    func populate() {
        // MADV_POPULATE_READ, Linux 5.14; older kernels refuse it and fault pages in later
        let populateRead: Int32 = 22
        let piece = 32 << 20
        let count = count
        nonisolated(unsafe) let start = base
        DispatchQueue.concurrentPerform(iterations: (count + piece - 1) / piece) { index in
            madvise(start + index * piece, min(piece, count - index * piece), populateRead)
        }
    }
}

/// The checksum of every section with its padding, computed on several threads.
///
/// A section's checksum is the checksum of the checksums of its pieces of 16 MiB.
func sectionChecksums(_ layout: PackedLayout, _ bytes: UnsafeRawBufferPointer) -> [UInt64] {
    let piece = 16 << 20
    var pieces: [Range<Int>] = []
    var counts: [Int] = []
    for index in layout.sections.indices {
        let extent = layout.extent(index)
        let starts = stride(from: extent.lowerBound, to: extent.upperBound, by: piece)
        let before = pieces.count
        for start in starts { pieces.append(start..<min(start + piece, extent.upperBound)) }
        counts.append(pieces.count - before)
    }
    let parts = [UInt64](unsafeUninitializedCapacity: pieces.count) { results, count in
        // Each iteration reads its own range and writes its own result.
        nonisolated(unsafe) let (results, bytes) = (results, bytes)
        pieces.withUnsafeBufferPointer { ranges in
            nonisolated(unsafe) let ranges = ranges
            DispatchQueue.concurrentPerform(iterations: ranges.count) { index in
                results.initializeElement(
                    at: index, to: checksum64(UnsafeRawBufferPointer(rebasing: bytes[ranges[index]])))
            }
        }
        count = pieces.count
    }
    var next = 0
    return counts.map { count in
        defer { next += count }
        return parts[next..<next + count].withUnsafeBytes { checksum64($0, seed: UInt64(count)) }
    }
}
