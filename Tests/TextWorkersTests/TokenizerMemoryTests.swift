import Glibc
import Testing
import TokenizerSource

/// What one process leaves for the next.
@Suite struct TokenizerMemoryTests {
    private static let sample = (0..<100_003).map { UInt8(truncatingIfNeeded: $0 &* 7) }

    /// Calls with a descriptor of nothing.
    private func withMemory(_ body: (Int32, TokenizerMemory) throws -> Void) rethrows {
        var template = Array("/tmp/srtmemory.XXXXXX".utf8CString)
        let descriptor = mkstemp(&template)
        unlink(template)
        defer { close(descriptor) }
        try body(descriptor, TokenizerMemory(descriptor: descriptor))
    }

    @Test func whatIsWrittenIsReadAndThenReplaced() {
        withMemory { _, memory in
            #expect(memory.read() == nil)
            for bytes in [Self.sample, [], Array(Self.sample.prefix(17))] {
                memory.write(bytes)
                #expect(memory.read() == bytes)
            }
        }
    }

    @Test func damagedMemoryHoldsNothing() {
        withMemory { descriptor, memory in
            for place in [0, 8, 20, 24, 60_000, 100_026] {
                memory.write(Self.sample)
                var byte = [UInt8](repeating: 0, count: 1)
                pread(descriptor, &byte, 1, off_t(place))
                byte[0] ^= 0x10
                pwrite(descriptor, byte, 1, off_t(place))
                #expect(memory.read() == nil, "byte \(place)")
            }
            memory.write(Self.sample)
            ftruncate(descriptor, 5000)
            #expect(memory.read() == nil)
        }
    }

    @Test func withoutMemoryNothingIsKept() {
        let memory = TokenizerMemory(descriptor: -1)
        memory.write(Self.sample)
        #expect(memory.read() == nil)
    }
}
