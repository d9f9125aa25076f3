import KVCache
import Scheduling
import Testing
import Values

/// What another scheduler finds in the slots of one that died. (`RandomScheduleTests` has deaths at every moment of every schedule.)
@Suite struct KeepingTests {
    private static func limits(pageSize: Int = 1) -> SchedulerLimits {
        var limits = SchedulerLimits(
            slots: 200, pageSize: pageSize, contextLength: 150, maxRunning: 8, chunkTokens: 64, logitRows: 72)
        limits.keepsBook = true
        return limits
    }

    private static func text(_ count: Int, _ seed: Int32 = 0) -> [Int32] { (0..<count).map { Int32($0 % 13) + seed } }

    @Test func whoeverComesAgainComputesOneRow() {
        var random = SplitMix64(seed: 1)
        var run = Run(Self.limits())
        for id in UInt64(1)...4 { run.admit(id, Self.text(20, Int32(id)), 30) }
        for _ in 0..<10 { _ = run.step() }
        let before = (UInt64(1)...4).compactMap { run.scheduler.request($0)?.tokens }
        _ = run.die(&random)
        for (index, tokens) in before.enumerated() {
            let request = ScheduledRequest(
                id: UInt64(index + 1), prompt: Array(tokens[..<20]), output: Array(tokens[20...]), maxNewTokens: 30,
                wasAccepted: true)
            let admission = run.scheduler.admit(request)
            #expect(admission == .queued)
        }
        let step = run.step()
        #expect(step?.batch.entries.map(\.count) == [1, 1, 1, 1])
        let outputs = run.finish()
        for id in UInt64(1)...4 {
            #expect(outputs[id] == ScriptedEngine.output(of: Self.text(20, Int32(id)), count: 30))
        }
    }

    @Test(arguments: [1, 4, 16]) func theCacheIsKeptOverManyDeaths(pageSize: Int) {
        var random = SplitMix64(seed: 7)
        var run = Run(Self.limits(pageSize: pageSize))
        run.admit(1, Self.text(80), 20)
        _ = run.finish()
        let whole = 99 / pageSize * pageSize
        for _ in 0..<5 {
            let kept = run.die(&random)
            #expect(kept == whole)
        }
        run.admit(2, Self.text(80), 5)
        _ = run.step()
        #expect(run.scheduler.request(2)?.cachedTokens == 79 / pageSize * pageSize)
    }

    @Test func namespacesStayApart() {
        var random = SplitMix64(seed: 3)
        var run = Run(Self.limits())
        for (id, name) in [(1, "one"), (2, "two")] as [(UInt64, ClientName)] {
            let request = ScheduledRequest(id: id, prompt: Self.text(30), maxNewTokens: 2, namespace: name)
            let admission = run.scheduler.admit(request)
            #expect(admission == .queued)
            _ = run.finish()
        }
        let kept = run.die(&random)
        #expect(kept == 62)
        for (id, name, cached) in [(3, "one", 29), (4, "three", 0)] as [(UInt64, ClientName, Int)] {
            let request = ScheduledRequest(id: id, prompt: Self.text(30), maxNewTokens: 2, namespace: name)
            let admission = run.scheduler.admit(request)
            #expect(admission == .queued)
            _ = run.step()
            #expect(run.scheduler.request(id)?.cachedTokens == cached)
            _ = run.finish()
        }
    }

    /// As after other weights: what was there and what follows it is of no use, what begins anew is.
    @Test func whatFollowsTheForgottenIsNotKept() {
        var random = SplitMix64(seed: 5)
        var run = Run(Self.limits())
        run.admit(1, Self.text(40), 30)
        for _ in 0..<5 { _ = run.step() }
        run.forget()
        for _ in 0..<5 { _ = run.step() }
        run.admit(2, Self.text(40, 50), 30)
        _ = run.step()
        let kept = run.die(&random)
        #expect((40...42).contains(kept))
    }
}
