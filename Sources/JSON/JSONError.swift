/// What is wrong with a JSON text.
package struct JSONError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The first byte that cannot stand where it does; the length for a text that ends early.
    package let offset: Int
    /// The reason without its place.
    package let reason: String

    /// The error at a byte.
    static func syntax(offset: Int, reason: String) -> JSONError { JSONError(offset: offset, reason: reason) }

    package var description: String { "\(reason) at byte \(offset)" }
}
