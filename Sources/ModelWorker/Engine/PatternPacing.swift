/// Who sits a step out, so that the stop patterns of many requests together cost a step no more than a few milliseconds.
///
/// The patterns of one request are bounded by `StopPatterns`; this bounds their sum. It decides only in which step a token is chosen, never
/// which token.
package struct PatternPacing: Sendable {
    /// What may be spent after one step of the engine, as `StopPatterns` counts it: some 4 ms.
    private static let most = 200_000

    /// What the patterns of each request needed after its latest token.
    private var costs: [UInt64: Int] = [:]
    private var total = 0
    /// Where the next turn begins.
    private var turn: UInt64 = 0

    package init() {}

    /// A request with patterns needed so much.
    package mutating func note(_ id: UInt64, cost: Int) {
        total += cost - (costs.updateValue(cost, forKey: id) ?? 0)
    }

    /// A request is gone.
    package mutating func forget(_ id: UInt64) {
        if let cost = costs.removeValue(forKey: id) { total -= cost }
    }

    /// The requests that sit the next step out: those that it has no room for. They take turns, and one at least is served.
    package mutating func resting() -> Set<UInt64> {
        guard total > Self.most else { return [] }
        let ids = costs.keys.sorted()
        let first = ids.firstIndex { $0 >= turn } ?? 0
        var left = Self.most
        var served = 0
        for offset in ids.indices {
            let cost = costs[ids[(first + offset) % ids.count]]!
            guard served == 0 || cost <= left else { break }
            left -= cost
            served += 1
        }
        turn = ids[(first + served) % ids.count]
        return Set((served..<ids.count).map { ids[(first + $0) % ids.count] })
    }
}
