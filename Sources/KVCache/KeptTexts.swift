package import Values

/// The texts that another process left in the slots, from the first position of each namespace on: stretches that branch where two
/// texts part.
///
/// Only what hangs together counts: what follows a slot of which nothing is known is left out, and so is what fills no page.
package struct KeptTexts {
    /// Tokens and slots from one branching to the next, whole pages of both.
    package struct Stretch {
        /// The tokens in position order.
        package var tokens: [Int32] = []
        /// Where their keys and values lie.
        package var slots: [Int32] = []
        /// The stretch that it follows, by its number; nil at the start of a namespace.
        package let parent: Int?
        /// The prefix-cache namespace of the whole text.
        package let namespace: ClientName
    }

    /// Each behind its parent.
    package private(set) var stretches: [Stretch] = []

    /// Reads what was written down; what cannot be is left out.
    package init(_ image: SlotImage, pageSize: Int) {
        let count = image.records.count
        // Slots that follow each, as linked lists.
        var follower = [Int32](repeating: 0, count: count)
        var sibling = [Int32](repeating: 0, count: count)
        var open: [(slot: Int32, parent: Int?, namespace: ClientName)] = []
        for slot in (min(pageSize, count)..<count).reversed() where image.records[slot] != SlotBook.nothing {
            let origin = image.origin(slot)
            if let before = origin.slot {
                guard before >= pageSize, before < count, before != slot else { continue }
                (sibling[slot], follower[before]) = (follower[before], Int32(slot))
            } else if let name = image.names[origin.code] {
                open.append((Int32(slot), nil, name))
            }
        }
        while let next = open.popLast() {
            var stretch = Stretch(parent: next.parent, namespace: next.namespace)
            var slot = next.slot
            while let token = image.token(Int(slot)), Self.fits(slot, behind: stretch.slots, pageSize) {
                stretch.tokens.append(token)
                stretch.slots.append(slot)
                let following = follower[Int(slot)]
                guard following != 0, sibling[Int(following)] == 0 else { break }
                slot = following
            }
            let isWhole = stretch.slots.count % pageSize == 0
            let last = stretch.slots.last
            stretch.tokens.removeLast(stretch.tokens.count % pageSize)
            stretch.slots.removeLast(stretch.slots.count % pageSize)
            guard !stretch.slots.isEmpty else { continue }
            stretches.append(stretch)
            guard isWhole, let last else { continue }
            var branch = follower[Int(last)]
            while branch != 0 {
                open.append((branch, stretches.count - 1, next.namespace))
                branch = sibling[Int(branch)]
            }
        }
    }

    /// A page lies together, in order.
    private static func fits(_ slot: Int32, behind slots: [Int32], _ pageSize: Int) -> Bool {
        let place = slots.count % pageSize
        return Int(slot) % pageSize == place && (place == 0 || slots[slots.count - 1] + 1 == slot)
    }
}
