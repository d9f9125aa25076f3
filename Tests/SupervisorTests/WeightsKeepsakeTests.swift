import ChildRuntime
import Glibc
import Messages
import TestSupport
import Testing

/// What rank 0 writes down of the weights.
@Suite struct WeightsKeepsakeTests {
    private func served(_ number: UInt64) -> ServedWeights {
        .make {
            $0.number = number
            $0.path = "/weights/\(number)/" + String(repeating: "x", count: Int(number % 5) * 300)
            if number % 2 == 0 { $0.version = "v\(number)" }
        }
    }

    @Test func theLastWordHoldsForWhoeverOpensTheMemory() {
        withUnnamedFile { memory in
            #expect(WeightsKeepsake(descriptor: memory).read() == nil)
            for number in 1...20 as ClosedRange<UInt64> {
                #expect(WeightsKeepsake(descriptor: memory).write(served(number)))
                #expect(WeightsKeepsake(descriptor: memory).read() == served(number))
            }
            #expect(WeightsKeepsake(descriptor: -1).read() == nil)
            #expect(!WeightsKeepsake(descriptor: -1).write(served(1)))
        }
    }

    /// A writer may die after any of its bytes: whatever lies in the place that it was writing, the word before holds.
    @Test func aWriterThatDiesLeavesWhatWasThere() {
        withUnnamedFile { memory in
            let keepsake = WeightsKeepsake(descriptor: memory)
            #expect(keepsake.write(served(1)) && keepsake.write(served(2)))
            var before = [UInt8](repeating: 0, count: 1 << 18)
            let size = pread(memory, &before, before.count, 0)
            #expect(keepsake.write(served(3)))
            var after = [UInt8](repeating: 0, count: 1 << 18)
            #expect(pread(memory, &after, after.count, 0) >= size)
            // The header is written last, in one piece: everything else may be there in part.
            for count in stride(from: 16, to: after.count, by: 997) {
                let torn = before[..<16] + after[16..<count] + before[count...]
                #expect(pwrite(memory, Array(torn), torn.count, 0) == torn.count)
                #expect(keepsake.read() == served(2))
            }
        }
    }

    @Test func whatIsTooLongIsNotWritten() {
        withUnnamedFile { memory in
            let keepsake = WeightsKeepsake(descriptor: memory)
            #expect(keepsake.write(served(1)))
            #expect(!keepsake.write(.make { $0.path = String(repeating: "y", count: 1 << 17) }))
            #expect(keepsake.read() == served(1))
        }
    }
}
