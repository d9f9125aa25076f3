import CKernels
import CRanks

/// The ranks of one tensor-parallel group as one of them sees it: what they exchange through shared memory.
///
/// An exchange is one round: each rank fills its own slot, all meet, each reads all slots. Ranks are always read in rank
/// order, so that every rank gets the same bits. One thread of a rank uses it.
package final class Collectives {
    /// Numbers that rank 0 tells the others when the group comes together.
    package static let termCount = Int(COLLECTIVE_TERMS)

    /// This rank, from 0.
    package let rank: Int
    /// Number of ranks.
    package let size: Int
    /// Floats in a slot, the same on every rank; 0 until the group has come together.
    package private(set) var slotCount = 0
    private let group: OpaquePointer
    private let patience: Int64
    private let giveUp: (_ missing: Int) -> Never

    /// Maps the group's memory, of which the first page was zero when it was made.
    ///
    /// A rank that does not come to a meeting within `patience` seconds is reported to `giveUp`: half an exchange
    /// cannot be taken back, so the process ends. Nil when the memory cannot be mapped.
    package init?(
        descriptor: Int32, rank: Int, size: Int, patience: Double, giveUp: @escaping (_ missing: Int) -> Never
    ) {
        guard let group = collective_open(descriptor, rank, size) else { return nil }
        self.group = group
        self.rank = rank
        self.size = size
        self.patience = Int64(patience * 1e9)
        self.giveUp = giveUp
    }

    deinit { collective_close(group) }

    /// Rank 0 tells the others what is agreed, and how large plans and slots are; false when there is no such memory.
    package func offer(terms: [UInt64], planBytes: Int, slotCount: Int) -> Bool {
        precondition(rank == 0 && terms.count <= Self.termCount, "rank 0 offers a page of terms")
        self.slotCount = slotCount
        let padded = terms + Array(repeating: 0, count: Self.termCount - terms.count)
        return collective_offer(group, padded, planBytes, slotCount)
    }

    /// The other ranks wait for what rank 0 offers; nil when nothing came in time or it cannot be mapped.
    package func accept() -> [UInt64]? {
        var terms = [UInt64](repeating: 0, count: Self.termCount)
        guard collective_accept(group, &terms, patience) else { return nil }
        slotCount = collective_slot_floats(group)
        return terms
    }

    /// The plan's memory: rank 0 writes it, the others read it between `awaitPlan` and their next meeting.
    package var plan: UnsafeMutableRawPointer { collective_plan(group) }

    /// Rank 0 has written a plan.
    package func publishPlan() { collective_publish(group) }

    /// Waits for the next plan, at first awake when one is expected at once; false after `seconds`.
    package func awaitPlan(expected: Bool, seconds: Double) -> Bool {
        collective_await_plan(group, expected, Int64(seconds * 1e9))
    }

    /// This rank's slot of the round that is about to be exchanged.
    package var ownSlot: UnsafeMutablePointer<Float> { collective_slot(group, rank) }

    /// Exchanges a round: waits until every rank has filled its slot, and lends the slots, by rank, to `body`.
    package func exchange(_ body: (_ slot: (Int) -> UnsafePointer<Float>) -> Void) {
        let missing = collective_meet(group, patience)
        if missing >= 0 { giveUp(Int(missing)) }
        body { rank in UnsafePointer(collective_slot(group, rank)) }
        collective_next_round(group)
    }
}

extension Compute {
    /// Adds the sum of all ranks' slots, in rank order, to `out`.
    package func addSlots(of group: Collectives, count: Int, to out: UnsafeMutablePointer<Float>) {
        precondition(count <= group.slotCount, "a round holds one slot of each rank")
        group.exchange { slot in
            withUnsafeTemporaryAllocation(of: UnsafePointer<Float>?.self, capacity: group.size) { slots in
                for rank in 0..<group.size { slots.initializeElement(at: rank, to: slot(rank)) }
                kernels_add_sum(handle, slots.baseAddress, group.size, count, out)
            }
        }
    }
}
