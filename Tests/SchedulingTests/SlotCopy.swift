import KVCache
import Scheduling
import Values

/// What a process that may die at any moment has written down of its slots.
struct SlotCopy {
    private(set) var image: SlotImage

    init(_ limits: SchedulerLimits) {
        let pages = limits.window == nil ? 0 : limits.storeRows / limits.pageSize
        image = SlotImage(
            records: [UInt64](repeating: SlotBook.nothing, count: limits.storeRows), names: [:],
            windowPlaces: [Int32](repeating: 0, count: pages))
    }

    /// Follows what has changed.
    mutating func write(_ changes: SlotChanges) { write(changes, first: Int.max) }

    /// Follows part of it: then the process is dead.
    mutating func write(_ changes: SlotChanges, _ random: inout SplitMix64) {
        let words =
            changes.book.erased.count + changes.windowPlaces.count + changes.book.names.count
            + changes.book.records.count
        write(changes, first: Int.random(in: 0...words, using: &random))
    }

    private mutating func write(_ changes: SlotChanges, first words: Int) {
        var left = words
        for slot in changes.book.erased.prefix(left) { image.records[Int(slot)] = SlotBook.nothing }
        left -= min(left, changes.book.erased.count)
        for change in changes.windowPlaces.prefix(left) { image.windowPlaces[Int(change.page)] = change.place }
        left -= min(left, changes.windowPlaces.count)
        for name in changes.book.names.prefix(left) { image.names[name.code] = name.name }
        left -= min(left, changes.book.names.count)
        for change in changes.book.records.prefix(left) { image.records[Int(change.slot)] = change.record }
    }

    /// Nothing is known of any slot.
    mutating func empty() {
        for slot in image.records.indices { image.records[slot] = SlotBook.nothing }
        for page in image.windowPlaces.indices { image.windowPlaces[page] = 0 }
    }
}

extension Batch {
    /// All ranks have come to the end of the step when its logits are there.
    var isMeeting: Bool { entries.contains { $0.logitsFrom != nil } }
}
