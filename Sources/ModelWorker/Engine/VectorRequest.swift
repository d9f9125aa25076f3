internal import Messages

/// What the engine keeps of a request for a vector, besides the scheduler's integers.
struct VectorRequest: HeldRequest {
    let key: RequestKey
    /// Numbers that are wanted, the first ones; 0: all.
    let dimensions: Int
    /// Types of the prompt's ids; empty: all are 0.
    let types: [Int32]
    let arrived: Double
    var admitted: Double?

    init(_ command: EmbedIDs, now: Double) {
        key = command.key
        dimensions = Int(command.dimensions)
        types = command.types.allSatisfy { $0.type == 0 } ? [] : command.tokenTypes
        arrived = now
    }
}
