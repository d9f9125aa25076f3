/// How much a grammar may ask for. Each limit counts something of the source, never time, so that a grammar that was taken
/// once is taken by every process on every machine.
package struct GrammarLimits: Sendable, Equatable {
    /// Bytes of the source.
    package var sourceBytes = 256 << 10
    /// Levels of schemas within schemas, or of groups within groups.
    package var depth = 64
    /// States of all automata that are built on the way, dropped ones included.
    package var states = 1_000_000
    /// States of one automaton beyond four for each node of the network that it is made of: a pattern may double them with each of its
    /// characters.
    package var growth = 65_536
    /// Edges of one network before it is made deterministic.
    package var edges = 2_000_000
    /// Edges looked at, some 10 ns each, and what takes as long: a second or two.
    package var work = 120_000_000
    /// So much of it is more than usual grammars take.
    package var longWork = 4_000_000
    /// Entries of the finished table, 4 bytes each.
    package var tableEntries = 24 << 20
    /// Alternatives into which a schema falls apart.
    package var alternatives = 512

    /// The usual limits.
    package init() {}
}

/// What is left of the limits while a grammar is compiled.
struct Budget {
    let limits: GrammarLimits
    private var states: Int
    private var work: Int
    /// Told once, when it takes long.
    private var onLongWork: (() -> Void)?

    init(_ limits: GrammarLimits, onLongWork: (() -> Void)? = nil) {
        self.limits = limits
        self.onLongWork = onLongWork
        states = limits.states
        work = limits.work
    }

    /// Notes states that were made.
    mutating func spend(states count: Int) throws(GrammarError) {
        states -= count
        if states < 0 { throw GrammarError(beyond: "it needs more than \(limits.states) states") }
        try spend(work: Self.stateWork * count)
    }

    /// Notes edges that were looked at.
    mutating func spend(work count: Int) throws(GrammarError) {
        work -= count
        if work < 0 { throw GrammarError(beyond: "it takes too long to compile") }
        if let onLongWork, limits.work - work > limits.longWork {
            self.onLongWork = nil
            onLongWork()
        }
    }

    /// Notes one more set of nodes as a state.
    /// - Parameters:
    ///   - states: How many the automaton has by now.
    ///   - nodes: How many nodes there are.
    mutating func spend(setOf count: Int, states: Int, nodes: Int) throws(GrammarError) {
        try spend(states: 1)
        try spend(work: Self.setWork + 4 * count)
        let most = limits.growth + 4 * nodes
        if states > most { throw GrammarError(beyond: "it grows to more than \(most) states") }
    }

    /// What a new state costs beside its edges, and what one that is a set of nodes costs besides.
    private static let (stateWork, setWork) = (30, 70)
}
