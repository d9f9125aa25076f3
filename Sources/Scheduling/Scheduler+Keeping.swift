package import KVCache

/// What outlives this process: which texts lie in the slots.
extension Scheduler {
    /// Writes down what an entry has computed.
    mutating func write(_ entry: Batch.Entry, _ row: Int) {
        guard book.isKept else { return }
        let positions = entry.start..<entry.start + entry.count
        book.record(
            table.rows[row].tokens[positions], in: table.rows[row].slots[positions],
            after: entry.start == 0 ? nil : table.rows[row].slots[entry.start - 1],
            namespace: table.rows[row].namespace)
    }

    /// What has changed since this was asked last, for the copy that outlives this process (see `SlotBook.takeChanges`).
    package mutating func takeSlotChanges(atEndOfStep: Bool = false, settled: Bool = false) -> SlotChanges {
        SlotChanges(
            book: book.takeChanges(atEndOfStep: atEndOfStep, settled: settled), windowPlaces: windowPages.takeChanges())
    }

    /// What lies in the slots is of no use to those who come after: it was computed with other weights, or is gone.
    package mutating func forgetBook() {
        book.forget()
        _ = windowPages.takeChanges()
    }

    /// Has the prefix cache go on with what another process left in the slots. Nothing may have been asked for yet.
    ///
    /// - Returns: Tokens in the cache.
    package mutating func restore(_ image: SlotImage) -> Int {
        precondition(book.isKept && isIdle && tree.evictable == 0, "kept texts come before any request")
        guard image.records.count == limits.storeRows else { return 0 }
        // Where each stretch ended: in the tree, and in which slot.
        var ends: [(node: RadixTree.Node, slot: Int32)] = []
        for stretch in KeptTexts(image, pageSize: limits.pageSize).stretches {
            let start = stretch.parent.map { ends[$0] }
            let inserted = tree.insert(
                stretch.tokens[...], slots: stretch.slots[...], after: start?.node, namespace: stretch.namespace)
            // Two requests may have computed the same at the same time; the tree keeps one of them.
            let known = inserted.known.count
            let new = stretch.slots[known...]
            book.record(
                stretch.tokens[known...], in: new, after: inserted.known.last ?? start?.slot,
                namespace: stretch.namespace)
            ends.append((inserted.node, new.last ?? inserted.known[known - 1]))
        }
        let slots = tree.allSlots
        pool.claim(slots)
        if limits.window != nil { windowPages.restore(image.windowPlaces, for: slots) }
        return slots.count
    }
}

/// What has changed in the slots, to be written down in this order: what is erased, places and names, then records.
package struct SlotChanges: Sendable {
    /// Of the slots themselves.
    package var book: SlotBook.Changes
    /// By page of the pool: the first of its slots in the layers with a window; 0 for none.
    package var windowPlaces: [(page: Int32, place: Int32)]

    /// There is nothing to write down.
    package var isEmpty: Bool { book.isEmpty && windowPlaces.isEmpty }
}
