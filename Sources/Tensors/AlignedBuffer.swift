#if canImport(Glibc)
    import Glibc
#endif

/// Zeroed memory that starts on a page boundary and asks for huge pages; unmapped when the last reference goes.
package final class AlignedBuffer {
    /// First byte; page-aligned, so aligned for every vector load.
    package let pointer: UnsafeMutableRawPointer
    /// Usable bytes, as asked for.
    package let byteCount: Int
    private let mappedBytes: Int

    /// Reserves `byteCount` bytes (at least one page); nil when the system has no such memory.
    ///
    /// With the descriptor of memory that several processes may map, this is that memory: made to measure, and zeroed only
    /// if it had another size before.
    package init?(byteCount: Int, descriptor: Int32? = nil) {
        precondition(byteCount >= 0, "a buffer has no negative size")
        let hugePage = 2 << 20
        let unit = byteCount >= hugePage ? hugePage : 4096
        let (padded, overflow) = byteCount.addingReportingOverflow(unit - 1)
        guard !overflow else { return nil }
        let bytes = max(unit, padded / unit * unit)
        if let descriptor, !Self.size(descriptor, bytes) { return nil }
        let flags = descriptor == nil ? MAP_PRIVATE | MAP_ANONYMOUS : MAP_SHARED
        let mapped = mmap(nil, bytes, PROT_READ | PROT_WRITE, flags, descriptor ?? -1, 0)
        guard let mapped, mapped != MAP_FAILED else { return nil }
        if bytes >= hugePage { _ = madvise(mapped, bytes, Int32(MADV_HUGEPAGE)) }
        pointer = mapped
        self.byteCount = byteCount
        mappedBytes = bytes
    }

    deinit { munmap(pointer, mappedBytes) }

    /// Gives the memory behind a descriptor a size; zeroes it where it had another one.
    private static func size(_ descriptor: Int32, _ bytes: Int) -> Bool {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { return false }
        if Int(status.st_size) == bytes { return true }
        return ftruncate(descriptor, 0) == 0 && ftruncate(descriptor, off_t(bytes)) == 0
    }

    /// The memory as elements of a trivial type.
    package func bound<Element: BitwiseCopyable>(to type: Element.Type) -> UnsafeMutablePointer<Element> {
        pointer.assumingMemoryBound(to: type)
    }
}
