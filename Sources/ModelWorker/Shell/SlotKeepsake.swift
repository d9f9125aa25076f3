internal import Glibc
package import KVCache
package import Scheduling
internal import Synchronization
internal import Tensors
internal import Values

/// Memory that the launcher keeps, in which rank 0 writes down what the slots of the prefix cache hold, for the rank 0 after it.
///
/// ```
/// mark, sizes · names [1024][length, up to 255 bytes] · records [store rows] · places in windows [pages]
/// ```
/// Words are stored one by one in the order of `SlotChanges`, so that a process that dies between any two leaves something true.
/// One process writes at a time.
package final class SlotKeepsake {
    private static let mark: UInt64 = 0x3130_7374_6F6C_7331  // "1slots01"
    private static let namesOffset = 4096
    private static let nameSize = 256
    private static let recordsOffset = namesOffset + SlotBook.mostNamespaces * nameSize

    private let memory: AlignedBuffer
    private let limits: SchedulerLimits
    private var header: UnsafeMutablePointer<UInt64> { memory.bound(to: UInt64.self) }
    private var names: UnsafeMutablePointer<UInt8> {
        (memory.pointer + Self.namesOffset).assumingMemoryBound(to: UInt8.self)
    }
    private var records: UnsafeMutablePointer<UInt64> {
        (memory.pointer + Self.recordsOffset).assumingMemoryBound(to: UInt64.self)
    }
    private var places: UnsafeMutablePointer<Int32> {
        UnsafeMutableRawPointer(records + limits.storeRows).assumingMemoryBound(to: Int32.self)
    }
    private var pages: Int { limits.window == nil ? 0 : limits.storeRows / limits.pageSize }

    /// How many slots the pool of an earlier process had; nil when there was none.
    package static func slots(descriptor: Int32) -> Int? {
        var words: [UInt64] = [0, 0]
        guard pread(descriptor, &words, 16, 0) == 16, words[0] == mark else { return nil }
        return Int(words[1])
    }

    /// Opens the memory behind a descriptor for a pool with these limits; nil when there is no memory for that.
    package init?(descriptor: Int32, _ limits: SchedulerLimits) {
        self.limits = limits
        let pages = limits.window == nil ? 0 : limits.storeRows / limits.pageSize
        let size = Self.recordsOffset + limits.storeRows * 8 + pages * 4
        guard let memory = AlignedBuffer(byteCount: size, descriptor: descriptor) else { return nil }
        self.memory = memory
        guard !isOurs else { return }
        header[0] = 0
        atomicMemoryFence(ordering: .sequentiallyConsistent)
        empty()
        for (place, size) in sizes.enumerated() { header[1 + place] = size }
        atomicMemoryFence(ordering: .sequentiallyConsistent)
        header[0] = Self.mark
    }

    private var sizes: [UInt64] {
        [limits.slots, limits.storeRows, limits.pageSize, limits.windowStoreRows ?? 0].map(UInt64.init)
    }

    private var isOurs: Bool {
        header[0] == Self.mark && sizes.enumerated().allSatisfy { header[1 + $0.offset] == $0.element }
    }

    /// What an earlier process wrote down.
    package func read() -> SlotImage {
        var known: [UInt32: ClientName] = [:]
        for code in 0..<SlotBook.mostNamespaces {
            let name = names + code * Self.nameSize
            let bytes = UnsafeBufferPointer(start: name + 1, count: Int(name[0]))
            known[UInt32(code)] = ClientName(String(decoding: bytes, as: UTF8.self))
        }
        return SlotImage(
            records: Array(UnsafeBufferPointer(start: records, count: limits.storeRows)), names: known,
            windowPlaces: Array(UnsafeBufferPointer(start: places, count: pages)))
    }

    /// Follows the scheduler's book.
    package func write(_ changes: SlotChanges) {
        if changes.isEmpty { return }
        for slot in changes.book.erased { records[Int(slot)] = SlotBook.nothing }
        atomicMemoryFence(ordering: .sequentiallyConsistent)
        for change in changes.windowPlaces { places[Int(change.page)] = change.place }
        for name in changes.book.names {
            let place = names + Int(name.code) * Self.nameSize
            for (index, byte) in name.name.text.utf8.enumerated() { place[1 + index] = byte }
            place[0] = UInt8(name.name.text.utf8.count)
        }
        atomicMemoryFence(ordering: .sequentiallyConsistent)
        for change in changes.book.records { records[Int(change.slot)] = change.record }
        atomicMemoryFence(ordering: .sequentiallyConsistent)
    }

    /// Nothing is known of any slot.
    package func empty() {
        let size = limits.storeRows * 8 + pages * 4
        // Given back rather than overwritten: most of it was never touched.
        if madvise(records, (size + 4095) / 4096 * 4096, Int32(MADV_REMOVE)) != 0 { memset(records, 0, size) }
        atomicMemoryFence(ordering: .sequentiallyConsistent)
    }
}
