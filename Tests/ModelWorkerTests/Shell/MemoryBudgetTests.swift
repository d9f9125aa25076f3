import ModelWorker
import Testing

@Suite struct MemoryBudgetTests {
    private static let meminfo = "MemTotal:       16000000 kB\nMemFree:  1 kB\nMemAvailable:    8000000 kB\n"

    private static func available(_ files: [String: String]) -> UInt64 {
        var files = files
        files["/proc/meminfo"] = files["/proc/meminfo"] ?? meminfo
        return MemoryBudget { files[$0] }.available
    }

    @Test func withoutControlGroupsItIsWhatTheMachineHasLeft() {
        #expect(Self.available([:]) == 8_000_000 * 1024)
    }

    @Test func theProcessesOwnGroupBoundsIt() {
        let files = [
            "/proc/self/cgroup": "0::/user.slice/run-1.scope\n",
            "/sys/fs/cgroup/user.slice/run-1.scope/memory.max": "3000000000\n",
            "/sys/fs/cgroup/user.slice/run-1.scope/memory.current": "1000000000\n",
        ]
        #expect(Self.available(files) == 2_000_000_000)
    }

    @Test func everyGroupAboveItBoundsItToo() {
        let files = [
            "/proc/self/cgroup": "0::/a/b\n",
            "/sys/fs/cgroup/a/b/memory.max": "max\n",
            "/sys/fs/cgroup/a/memory.max": "5000\n",
            "/sys/fs/cgroup/a/memory.current": "4000\n",
            "/sys/fs/cgroup/memory.max": "9000\n",
        ]
        #expect(Self.available(files) == 1000)
    }

    @Test func aContainerSeesItsOwnGroupAtTheRoot() {
        let files = [
            "/proc/self/cgroup": "0::/docker/0123\n",
            "/sys/fs/cgroup/memory.max": "700\n",
            "/sys/fs/cgroup/memory.current": "300\n",
        ]
        #expect(Self.available(files) == 400)
    }

    @Test func filesThatTheKernelCanDropCountAsFree() {
        let files = [
            "/proc/self/cgroup": "0::/\n",
            "/sys/fs/cgroup/memory.max": "1000\n",
            "/sys/fs/cgroup/memory.current": "900\n",
            "/sys/fs/cgroup/memory.stat": "anon 100\nfile 800\ninactive_file 600\nactive_file 200\n",
        ]
        #expect(Self.available(files) == 700)
    }

    @Test func readsTheMemoryControllerOfTheFirstVersion() {
        let files = [
            "/proc/self/cgroup": "5:cpu,cpuacct:/x\n4:memory:/x/y\n0::/z\n",
            "/sys/fs/cgroup/memory/x/y/memory.limit_in_bytes": "9223372036854771712\n",
            "/sys/fs/cgroup/memory/x/memory.limit_in_bytes": "2000\n",
            "/sys/fs/cgroup/memory/x/memory.usage_in_bytes": "1500\n",
            "/sys/fs/cgroup/memory/x/memory.stat": "inactive_file 1\ntotal_inactive_file 500\n",
        ]
        #expect(Self.available(files) == 1000)
    }

    @Test func nothingIsLeftOfAGroupThatIsOverItsLimit() {
        let files = [
            "/proc/self/cgroup": "0::/\n", "/sys/fs/cgroup/memory.max": "5\n", "/sys/fs/cgroup/memory.current": "6\n",
        ]
        #expect(Self.available(files) == 0)
    }

    @Test(arguments: ["", "nonsense", "0::", "::::", "0:memory", "1:name=systemd:/x\n\n"])
    func malformedGroupsBoundNothing(_ text: String) {
        #expect(Self.available(["/proc/self/cgroup": text]) == 8_000_000 * 1024)
    }

    @Test func theWeightsAreTakenOffBeforeSlotsAreCounted() {
        let budget = MemoryBudget { $0 == "/proc/meminfo" ? "MemAvailable: 1000 kB\n" : nil }
        #expect(budget.slots(bytesPerSlot: 1000, weightBytes: 12_000, fraction: 0.5) == 500)
        #expect(budget.slots(bytesPerSlot: 1000, weightBytes: 512_000, fraction: 0.5) == nil)
        #expect(budget.slots(bytesPerSlot: 1000, weightBytes: 510_999, fraction: 0.5) == 1)
    }

    private func refusal(_ budget: MemoryBudget, slots: Int) -> String? {
        do { try budget.check(slots: slots, bytesPerSlot: 1020, weightBytes: 10 << 20) } catch { return "\(error)" }
        return nil
    }

    @Test func aPoolThatCanNeverFitIsRefusedWithBothSizes() {
        let budget = MemoryBudget {
            [
                "/proc/meminfo": Self.meminfo, "/proc/self/cgroup": "0::/a/b\n",
                "/sys/fs/cgroup/a/memory.max": "268435456\n", "/sys/fs/cgroup/a/memory.current": "268000000\n",
            ][$0]
        }
        #expect(budget.limit == 256 << 20)
        #expect(refusal(budget, slots: 240 << 10) == nil, "what others have now may come free")
        let words = refusal(budget, slots: 100_000_000)
        #expect(words?.contains("--max-total-tokens 100000000") == true)
        #expect(words?.contains("97656 MiB") == true && words?.contains("256 MiB") == true, "\(words ?? "")")
        #expect(refusal(budget, slots: Int(Int32.max)) != nil)
    }

    @Test func theMachineBoundsAPoolWhereNoGroupDoes() {
        #expect(refusal(MemoryBudget { $0 == "/proc/meminfo" ? Self.meminfo : nil }, slots: 16_000_000) != nil)
        #expect(refusal(MemoryBudget { _ in nil }, slots: 16_000_000) == nil, "nobody knows")
    }

    @Test func aPoolGrowsNoLargerThanAnybodyNeeds() {
        let budget = MemoryBudget { $0 == "/proc/meminfo" ? "MemAvailable: 99999999999 kB\n" : nil }
        #expect(budget.slots(bytesPerSlot: 1, weightBytes: 0, fraction: nil) == MemoryBudget.mostTokens)
    }
}
