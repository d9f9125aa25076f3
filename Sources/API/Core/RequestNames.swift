internal import Messages
internal import Synchronization

/// Names and numbers for requests that bring none.
package enum RequestNames {
    /// A random UUID of version 4 in 32 hexadecimal digits.
    package static func fresh() -> String {
        let upper = UInt64.random(in: 0...UInt64.max) & 0xFFFF_FFFF_FFFF_0FFF | 0x4000
        let lower = UInt64.random(in: 0...UInt64.max) & 0x3FFF_FFFF_FFFF_FFFF | 0x8000_0000_0000_0000
        return hexadecimal(upper) + hexadecimal(lower)
    }

    private static func hexadecimal(_ value: UInt64) -> String {
        let digits = String(value, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}

/// Numbers that no other request of the server has.
package final class RequestNumbers: Sendable {
    private let last: Atomic<UInt64>

    /// `generation` is the front's.
    package init(generation: UInt64) { last = Atomic(FrontGeneration.base(generation)) }

    /// The next number.
    package func next() -> UInt64 { last.wrappingAdd(1, ordering: .relaxed).newValue }
}
