import CAllocationCounter
import Models
import Tensors
import Testing

@Suite(.enabled(if: allocations_are_counted())) struct AllocationTests {
    @Test(arguments: Fixture.all) func aDecodeStepAllocatesNothing(_ fixture: Fixture) throws {
        for dtype in [DType.float32, .bfloat16] {
            let model = try fixture.load(dtype: dtype)
            var input = ForwardInput()
            for sequence in 0..<3 {
                let length = 1 + 40 * sequence
                input.sequences.append(
                    .init(rowStart: sequence, rowCount: 1, slotStart: input.slots.count, length: length))
                input.slots += (0..<length).map { Int32(100 * sequence + $0) }
                input.tokens.append(Int32(sequence))
                input.positions.append(Int32(length - 1))
                input.writeSlots.append(input.slots[input.slots.count - 1])
                input.logitRows.append(Int32(sequence))
            }
            let logits = UnsafeMutablePointer<Float>.allocate(capacity: 3 * model.config.vocabularySize)
            defer { logits.deallocate() }
            model.forward(input, logits: logits)
            #expect(allocations { model.forward(input, logits: logits) } == 0, "\(dtype)")
        }
    }

    @Test func anAllocationIsCounted() {
        var array: [Int] = []
        #expect(allocations { array = [Int](repeating: 1, count: 1000) } > 0)
        #expect(array.count == 1000)
    }
}

/// How often `work` asks for memory on this thread.
private func allocations(_ work: () -> Void) -> Int {
    let before = allocation_count()
    work()
    return allocation_count() - before
}
