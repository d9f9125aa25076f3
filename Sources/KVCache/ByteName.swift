/// A name that clients choose. Two are equal when their bytes are: Swift's strings are equal already when they look alike, and keys that
/// keep tenants apart must not be.
package struct ByteName: Hashable, Sendable, ExpressibleByStringLiteral {
    private let bytes: [UInt8]

    /// The name as it came.
    package init(_ name: String) { bytes = Array(name.utf8) }

    package init(stringLiteral name: String) { self.init(name) }

    /// Nobody chose one.
    package var isEmpty: Bool { bytes.isEmpty }
}
