package import SwiftProtobuf

extension Message {
    /// A message filled by a closure; the other rooms build messages without knowing the protobuf library.
    package static func make(_ fill: (inout Self) -> Void) -> Self {
        var message = Self()
        fill(&message)
        return message
    }

    /// The message as it is stored.
    package var encoded: [UInt8] { (try? serializedBytes()) ?? [] }

    /// A stored message; nil for anything else.
    package init?(encoded: [UInt8]) {
        guard let message = try? Self(serializedBytes: encoded) else { return nil }
        self = message
    }
}
