/// A name that a client chose: of a request, a session, a cache. Names are equal when their bytes are.
///
/// Strings of Swift are equal when Unicode calls them equivalent, so that one client would meet another whose name only looks the
/// same.
package struct ClientName: Hashable, Sendable, CustomStringConvertible, ExpressibleByStringInterpolation {
    /// The name as it came.
    package let text: String

    package init(_ text: String) { self.text = text }
    package init(stringLiteral text: String) { self.text = text }

    package var description: String { text }

    /// Nobody chose one.
    package var isEmpty: Bool { text.isEmpty }

    package static func == (one: Self, other: Self) -> Bool { one.text.utf8.elementsEqual(other.text.utf8) }

    package func hash(into hasher: inout Hasher) {
        for byte in text.utf8 { hasher.combine(byte) }
        hasher.combine(0xFF as UInt8)
    }

    /// Whether the name's bytes begin with those of another.
    package func hasPrefix(_ prefix: ClientName) -> Bool { text.utf8.starts(with: prefix.text.utf8) }
}
