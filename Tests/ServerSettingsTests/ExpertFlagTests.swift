import ServerSettings
import Testing

@Suite struct ExpertFlagTests {
    @Test(arguments: [
        ("stat", ServerSettings.ExpertRecorderMode.stat), ("stat_approx", .approximateStat), ("per_pass", .perPass),
        ("per_token", .perToken),
    ]) func everyModeOfTheRecorderIsTaken(_ word: String, _ mode: ServerSettings.ExpertRecorderMode) throws {
        let settings = try #require(CommandLine("--model m --expert-distribution-recorder-mode \(word)").settings)
        #expect(FrontSettings(settings).expertRecorderMode == mode)
        #expect(WorkerSettings(settings).expertRecorderMode == mode)
    }

    @Test func withoutFlagsNothingIsTold() throws {
        let settings = try #require(CommandLine("--model m").settings)
        let worker = WorkerSettings(settings)
        #expect(worker.expertRecorderMode == nil && !worker.enableReturnRoutedExperts)
        #expect(worker.expertRecorderBufferSize == 1000 && worker.expertRecorderDirectory == "/tmp")
    }

    @Test func bufferAndFolderAreTheWorkers() throws {
        var line = CommandLine(
            "--model m --expert-distribution-recorder-buffer-size -1 --enable-return-routed-experts")
        line.environment = ["SGLANG_EXPERT_DISTRIBUTION_RECORDER_DIR": "/var/experts"]
        let settings = try #require(line.settings)
        let worker = WorkerSettings(settings)
        #expect(worker.expertRecorderBufferSize == nil && worker.expertRecorderDirectory == "/var/experts")
        #expect(worker.enableReturnRoutedExperts && FrontSettings(settings).enableReturnRoutedExperts)
        #expect(CommandLine("--model m --expert-distribution-recorder-mode all").failure?.contains("per_token") == true)
    }
}
