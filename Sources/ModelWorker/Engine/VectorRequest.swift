internal import Messages

/// What the engine keeps of a request for a vector, besides the scheduler's integers.
struct VectorRequest: HeldRequest {
    let key: RequestKey
    /// Numbers that are wanted, the first ones; 0: all.
    let dimensions: Int
    /// Types of the prompt's ids; empty: all are 0.
    let types: [Int32]
    /// How many of the first ids are the checkpoint's prompt.
    let leading: Int
    let arrived: Double
    var admitted: Double?

    /// A request to a model that tells so many kinds of tokens apart; one that knows no kinds is told of none.
    init(_ command: EmbedIDs, telling typeCount: Int, now: Double) {
        key = command.key
        dimensions = Int(command.dimensions)
        leading = min(Int(command.leadingIds), max(0, command.prompt.count - 1))
        types = typeCount < 2 || command.types.allSatisfy { $0.type == 0 } ? [] : command.tokenTypes
        arrived = now
    }
}
