import Testing

/// Thousands of small servers with random limits, requests and accidents, all from one number each.
@Suite struct EngineHistoryTests {
    @Test(arguments: 0..<50) func everyAnswerIsThatOfALoneRun(block: Int) throws {
        for seed in (block * 100)..<(block * 100 + 100) {
            var history = EngineHistory(seed: seed)
            let problem = try history.tell()
            #expect(problem == nil, "seed \(seed), \(history.limits)")
            if problem != nil { return }
        }
    }

    /// What the histories are about comes about in them.
    @Test func historiesHoldEveryKindOfEvent() throws {
        var counts: [String: Int] = [:]
        for seed in 0..<400 {
            var history = EngineHistory(seed: seed)
            _ = try history.tell()
            counts.merge(history.counts, uniquingKeysWith: +)
        }
        for event in [
            "aborted", "worker died", "neighbour died", "late message", "lost frame", "retracted", "preempted",
            "paused retract", "paused inPlace", "paused abort", "stopToken", "stopString", "stopRegex", "length",
            "grammarEnd", "jumped", "aborted", "updated", "not updated", "mixed", "memory given", "memory kept",
            "aborted for weights",
        ] {
            #expect(counts[event, default: 0] >= 10, "\(event): \(counts)")
        }
        #expect(counts["cache kept", default: 0] >= 2, "\(counts)")
    }
}
