package import Grammar

/// The grammars that requests asked for, as a value: compiled ones within a bound in bytes, and those that are being compiled or could
/// not be.
package struct GrammarShelf: Sendable {
    /// How far a grammar is.
    package enum Entry: Sendable {
        /// It is being compiled.
        case underWay
        /// It is ready.
        case ready(ServedGrammar)
        /// It cannot be had, and why.
        case failed(String)
    }

    private var entries: [GrammarSource: Entry] = [:]
    /// When each was asked for last.
    private var uses: [GrammarSource: UInt64] = [:]
    private var clock: UInt64 = 0
    private let mostBytes: Int
    /// Failures are small, but anybody can make many.
    private static let mostFailures = 64

    /// An empty shelf.
    package init(mostBytes: Int = 256 << 20) { self.mostBytes = mostBytes }

    /// Whether something is being compiled.
    package var isWorking: Bool {
        entries.values.contains { if case .underWay = $0 { true } else { false } }
    }

    /// What is there of a grammar; nil: nobody has asked for it.
    package mutating func find(_ source: GrammarSource) -> Entry? {
        guard let entry = entries[source] else { return nil }
        clock += 1
        uses[source] = clock
        return entry
    }

    /// It is being compiled from now on.
    package mutating func begin(_ source: GrammarSource) {
        entries[source] = .underWay
        clock += 1
        uses[source] = clock
    }

    /// What came of it. Those that were asked for longest ago make room; it stays itself, as somebody waits for it.
    package mutating func finish(_ source: GrammarSource, _ entry: Entry) {
        entries[source] = entry
        clock += 1
        uses[source] = clock
        var bytes = 0
        var failures = 0
        for other in uses.sorted(by: { $0.value > $1.value }).map(\.key) {
            switch entries[other] {
            case .ready(let grammar)?:
                bytes += grammar.byteCount + other.text.utf8.count
                if bytes > mostBytes, other != source { remove(other) }
            case .failed?:
                failures += 1
                if failures > Self.mostFailures { remove(other) }
            default: break
            }
        }
    }

    /// Forgets all but what is being compiled.
    package mutating func clear() {
        for (source, entry) in entries {
            if case .underWay = entry { continue }
            remove(source)
        }
    }

    private mutating func remove(_ source: GrammarSource) {
        entries[source] = nil
        uses[source] = nil
    }
}
