import Supervisor
import Testing

@Suite struct KernelKillsTests {
    @Test func aKillThatTheKernelCountedExplainsOneDeath() {
        var kills = KernelKills()
        kills.observe(7, at: 0)
        #expect(kills.explainsDeath() == false, "what happened before is nobody's of this server")
        kills.observe(9, at: 1)
        let explained = (0..<3).map { _ in kills.explainsDeath() }
        #expect(explained == [true, true, false])
        kills.observe(9, at: 2)
        #expect(kills.explainsDeath() == false)
    }

    @Test func aKillThatWasSeenEarlierWaitsForItsDeathButNotForEver() {
        var kills = KernelKills()
        kills.observe(0, at: 0)
        kills.observe(1, at: 10)
        kills.observe(1, at: 35)
        #expect(kills.explainsDeath() == true)
        kills.observe(2, at: 40)
        kills.observe(2, at: 71)
        #expect(kills.explainsDeath() == false)
    }

    @Test(arguments: [nil, 0, UInt64.max])
    func countsThatAreMissingOrJumpExplainNothingWrong(count: UInt64?) {
        var kills = KernelKills()
        kills.observe(nil, at: 0)
        kills.observe(count, at: 1)
        #expect(kills.explainsDeath() == false)
        kills.observe(0, at: 2)
        #expect(kills.explainsDeath() == false, "a smaller count is another group's")
    }

    private func counters(_ files: [String: String]) -> MemoryCounters { MemoryCounters { files[$0] } }

    @Test func readsTheCountersOfTheSecondVersion() {
        let counters = counters([
            "/proc/self/cgroup": "0::/a/b\n",
            "/sys/fs/cgroup/a/b/memory.events": "low 0\nhigh 0\nmax 17\noom 4\noom_kill 3\noom_group_kill 0\n",
            "/sys/fs/cgroup/a/b/memory.max": "max\n",
            "/sys/fs/cgroup/a/memory.max": "268435456\n",
            "/proc/vmstat": "oom_kill 99\n",
        ])
        #expect(counters.kills == 3 && counters.limit == 256 << 20)
    }

    @Test func readsTheCountersOfTheFirstVersion() {
        let counters = counters([
            "/proc/self/cgroup": "4:memory:/x\n0::/\n",
            "/sys/fs/cgroup/memory/x/memory.oom_control": "oom_kill_disable 0\nunder_oom 0\noom_kill 12\n",
            "/sys/fs/cgroup/memory/x/memory.limit_in_bytes": "9223372036854771712\n",
        ])
        #expect(counters.kills == 12 && counters.limit == nil)
    }

    @Test func aContainerFindsItsCountersAtTheRoot() {
        let counters = counters([
            "/proc/self/cgroup": "0::/docker/0123\n", "/sys/fs/cgroup/memory.events": "oom_kill 1\n",
            "/sys/fs/cgroup/memory.max": "1000\n",
        ])
        #expect(counters.kills == 1 && counters.limit == 1000)
    }

    @Test func withoutAGroupTheMachineCounts() {
        #expect(counters(["/proc/vmstat": "nr_free_pages 1\noom_kill 5\n"]).kills == 5)
        #expect(counters([:]).kills == nil && counters([:]).limit == nil)
    }
}
