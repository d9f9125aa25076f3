/// Why a measurement could not be made, in a line for people.
struct BenchFailure: Error, CustomStringConvertible {
    let description: String

    /// States why.
    init(_ description: String) { self.description = description }
}
