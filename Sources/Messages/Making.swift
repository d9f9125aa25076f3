package import SwiftProtobuf

extension Message {
    /// A message filled by a closure; the other rooms build messages without knowing the protobuf library.
    package static func make(_ fill: (inout Self) -> Void) -> Self {
        var message = Self()
        fill(&message)
        return message
    }
}
