/// The free KV slots: which rows of the key and value stores nobody holds.
///
/// Slot 0 is never handed out; it is where padding may write.
package struct SlotPool: ~Copyable {
    /// How many slots can be handed out.
    package let total: Int
    private var free: [Int32]

    /// A pool whose slots 1...total are all free.
    package init(total: Int) {
        self.total = total
        // Taken from the end, so the first requests get ascending runs.
        free = (0..<total).map { Int32(total - $0) }
    }

    /// Slots that can be taken now.
    package var available: Int { free.count }

    /// Takes `count` slots and appends them to `slots`; false and nothing taken when there are not enough.
    package mutating func take(_ count: Int, into slots: inout [Int32]) -> Bool {
        guard count <= free.count else { return false }
        for _ in 0..<count { slots.append(free.removeLast()) }
        return true
    }

    /// Gives slots back. Each must have been taken and not been given back since.
    package mutating func give(_ slots: some Sequence<Int32>) {
        for slot in slots { free.append(slot) }
        precondition(free.count <= total, "a KV slot was given back twice")
    }
}
