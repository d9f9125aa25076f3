import JSON
import Launcher
import ServerSettings
import Supervisor
import Tensors
import Testing
import Values

@Suite struct ServerPlanTests {
    private func settings(_ arguments: [String]) throws -> ServerSettings {
        let outcome = ServerSettings.parse(
            ["--model-path", "model"] + arguments, environment: [:], readFile: { _ in "" }, randomSeed: { 7 })
        guard case .settings(let settings, _) = outcome else { throw Refused(outcome: outcome) }
        return settings
    }

    private struct Refused: Error { let outcome: SettingsOutcome }

    @Test func flagsBecomeThePolicy() throws {
        let plan = ServerPlan(
            for: try settings([
                "--port", "8123", "--drain-timeout", "12", "--max-restarts", "3", "--watchdog-timeout", "44",
                "--on-child-failure", "exit", "--skip-server-warmup", "--log-level", "error",
            ]), warnings: ["beware"])
        #expect(plan.port == 8123 && plan.policy.drainTimeout == 12 && plan.policy.maxRestarts == 3)
        #expect(plan.policy.computePhaseLimit == 44 && plan.policy.onFailure == .exit && !plan.policy.warmup)
        #expect(plan.quietestLevel == .error)
        #expect(plan.openingLines.first?.text.hasPrefix("server_args=ServerArgs(model_path='model'") == true)
        #expect(plan.openingLines.last == LogLine(level: .warning, text: "beware"))
    }

    @Test func theWarmUpAsksForTextOrIds() throws {
        let text = try JSON.parse(ServerPlan(for: try settings([]), warnings: []).warmupBody)
        #expect(text["text"]?.stringValue == "The capital city of France is")
        #expect(text["sampling_params"]?["max_new_tokens"]?.intValue == 8)
        let ids = try JSON.parse(ServerPlan(for: try settings(["--skip-tokenizer-init"]), warnings: []).warmupBody)
        #expect(ids["input_ids"]?.arrayValue?.count == 3 && ids["text"] == nil)
    }

    @Test func childrenReadTheSettingsTheLauncherWrote() throws {
        var wanted = try settings(["--port", "0", "--served-model-name", "näme \"x\""])
        let bytes = try ServerPlan(for: wanted, warnings: []).settingsFile(4711, "/run/x")
        (wanted.port, wanted.runDirectory) = (4711, "/run/x")
        var read = try JSON.decode(ServerSettings.self, from: bytes)
        // Where there is a choice of kernels the launcher has timed them.
        #expect((read.kernelRates != nil) == (KernelRates.rungs.count > 1))
        #expect(read.kernelRates?.covers(KernelRates.rungs) ?? true)
        read.kernelRates = nil
        #expect(read == wanted)
    }

    @Test func nothingIsTimedWhereTheOperatorNamesTheKernels() throws {
        let bytes = try ServerPlan(for: try settings(["--kernel-isa", "avx2"]), warnings: []).settingsFile(1, "/run/x")
        let read = try JSON.decode(ServerSettings.self, from: bytes)
        #expect(read.kernelRates == nil && read.kernelISA == .avx2)
    }
}
