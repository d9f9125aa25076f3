package import Models
internal import Tensors

/// Which experts the token in each slot took, layer by layer: kept as long as the slot's keys and values, so that what came
/// from the prefix cache is known too.
package final class RouteMemory {
    private let traits: ExpertTraits
    private let memory: AlignedBuffer
    /// Numbers of one slot.
    private let width: Int

    /// Bytes of one slot.
    package static func bytesPerSlot(_ traits: ExpertTraits) -> Int { traits.layers * traits.each * 2 }

    /// Memory for so many slots, touched as they are used; nil where there is none.
    package init?(_ traits: ExpertTraits, slots: Int) {
        guard let memory = AlignedBuffer(byteCount: slots * Self.bytesPerSlot(traits)) else { return nil }
        self.traits = traits
        self.memory = memory
        width = traits.layers * traits.each
    }

    private var numbers: UnsafeMutablePointer<UInt16> { memory.bound(to: UInt16.self) }

    /// Takes down a step whose rows all went through every layer; layers without experts stay 0.
    package func note(_ input: borrowing ForwardInput, chosen: (Int) -> UnsafeBufferPointer<Int32>) {
        for layer in 0..<traits.layers {
            let experts = chosen(layer)
            if experts.isEmpty { continue }
            for (row, slot) in input.writeSlots.enumerated() {
                let place = numbers + Int(slot) * width + layer * traits.each
                for i in 0..<traits.each { place[i] = UInt16(experts[row * traits.each + i]) }
            }
        }
    }

    /// `[slots][layers][each]` of some slots.
    package func experts(of slots: ArraySlice<Int32>) -> [Int32] {
        var ids: [Int32] = []
        ids.reserveCapacity(slots.count * width)
        for slot in slots {
            let place = numbers + Int(slot) * width
            for i in 0..<width { ids.append(Int32(place[i])) }
        }
        return ids
    }
}
