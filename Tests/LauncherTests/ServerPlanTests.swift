import ChildRuntime
import Foundation
import JSON
import Launcher
import Messages
import ServerSettings
import Supervisor
import Tensors
import TestSupport
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
        let folder = TemporaryFolder()
        var wanted = try settings([
            "--port", "0", "--served-model-name", "näme \"x\"", "--api-key", "sesame", "--admin-api-key", "open",
        ])
        let files = try ServerPlan(for: wanted, warnings: []).settingsFiles(4711, folder.path)
        (wanted.port, wanted.runDirectory) = (4711, folder.path)
        for (name, bytes) in files { try Data(bytes).write(to: URL(fileURLWithPath: folder.path + "/" + name)) }
        func file(_ role: Role) -> String {
            ChildIdentity(role: role, rank: 0, size: 1, generation: 1, runDirectory: folder.path, launcher: 1)
                .settingsFile
        }
        let front = try SettingsFile.read(FrontSettings.self, at: file(.http))
        #expect(front == FrontSettings(wanted) && front.apiKey == "sesame")
        #expect(front.argumentsJSON()["port"] == 4711)
        #expect(try SettingsFile.read(at: file(.tokenizerManager)) == TextSettings(wanted))
        #expect(try SettingsFile.read(at: file(.detokenizer)) == TextSettings(wanted))
        var worker = try SettingsFile.read(WorkerSettings.self, at: file(.scheduler))
        worker.kernelRates = nil
        #expect(worker == WorkerSettings(wanted))
        #expect(throws: SettingsFile.Failure.self) { try SettingsFile.read(FrontSettings.self, at: file(.launcher)) }
    }

    @Test func keysReachTheFrontAlone() throws {
        let wanted = try settings(["--api-key", "sesame-1", "--admin-api-key", "sesame-2"])
        let files = try ServerPlan(for: wanted, warnings: []).settingsFiles(1, "/run/x")
        let holders = files.filter { String(decoding: $0.value, as: UTF8.self).contains("sesame") }.keys
        #expect(Array(holders) == ["settings.http.json"])
    }

    @Test func aFileThatIsCutNamesItself() throws {
        let folder = TemporaryFolder()
        let path = folder.path + "/settings.http.json"
        try Data("{".utf8).write(to: URL(fileURLWithPath: path))
        let failure = #expect(throws: SettingsFile.Failure.self) {
            try SettingsFile.read(FrontSettings.self, at: path)
        }
        #expect(failure?.description.hasPrefix(path + ": ") == true)
    }

    @Test func nothingIsTimedWhereTheOperatorNamesTheKernels() throws {
        let read = try scheduler(["--kernel-isa", "avx2"])
        #expect(read.kernelRates == nil && read.kernelISA == .avx2)
    }

    @Test func theWorkerIsToldHowFastTheRungsAreWhereThereIsAChoice() throws {
        let rates = try scheduler([]).kernelRates
        #expect((rates != nil) == (KernelRates.rungs.count > 1))
        #expect(rates?.covers(KernelRates.rungs) ?? true)
    }

    /// What the worker of a server with these arguments is told.
    private func scheduler(_ arguments: [String]) throws -> WorkerSettings {
        let folder = TemporaryFolder()
        let files = try ServerPlan(for: try settings(arguments), warnings: []).settingsFiles(1, folder.path)
        let name = "settings.scheduler.json"
        return try SettingsFile.read(WorkerSettings.self, at: folder.write(name, Array(try #require(files[name]))))
    }
}
