internal import ChildRuntime
internal import Grammar
internal import Messages
internal import ServerSettings

/// What grammars were asked for, and what became of them.
struct GrammarTally: Sendable {
    private var requests: UInt64 = 0
    private var hits: UInt64 = 0
    private var refused: UInt64 = 0
    private var beyondLimits: UInt64 = 0
    private var compileTime = Histogram(bounds: MetricBuckets.grammarCompilation)

    /// A request asks for one.
    /// - Parameter entry: What is there of it.
    mutating func asked(for entry: GrammarShelf.Entry?) {
        requests += 1
        switch entry {
        case .ready?, .failed?: hits += 1
        case .underWay?, nil: break
        }
    }

    /// One was compiled, or could not be.
    mutating func compiled(_ result: Result<ServedGrammar, GrammarError>, after seconds: Double) {
        compileTime.observe(seconds)
        guard case .failure(let error) = result else { return }
        refused += 1
        if error.isBeyondLimits { beyondLimits += 1 }
    }

    /// As the front is told.
    var message: GrammarCounters {
        .make {
            $0.requests = requests
            $0.hits = hits
            $0.refused = refused
            $0.beyondLimits = beyondLimits
            $0.compileTimeCounts = compileTime.counts
            $0.compileTimeSum = compileTime.sum
        }
    }
}
