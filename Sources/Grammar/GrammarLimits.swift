/// How much a grammar may ask for. Each limit counts something of the source, never time, so that a grammar that was taken
/// once is taken by every process on every machine.
package struct GrammarLimits: Sendable, Equatable {
    /// Bytes of the source.
    package var sourceBytes = 256 << 10
    /// Levels of schemas within schemas, or of groups within groups.
    package var depth = 64
    /// States of all automata that are built on the way, dropped ones included.
    package var states = 1_000_000
    /// Edges of one network before it is made deterministic.
    package var edges = 2_000_000
    /// Edges looked at, some 10 ns each: a few seconds.
    package var work = 60_000_000
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

    init(_ limits: GrammarLimits) {
        self.limits = limits
        states = limits.states
        work = limits.work
    }

    /// Notes states that were made.
    mutating func spend(states count: Int) throws(GrammarError) {
        states -= count
        if states < 0 { throw GrammarError("it needs more than \(limits.states) states") }
    }

    /// Notes edges that were looked at.
    mutating func spend(work count: Int) throws(GrammarError) {
        work -= count
        if work < 0 { throw GrammarError("it takes too long to compile") }
    }
}
