import Foundation
import JSON
import ServerSettings
import Testing
import Values

/// What each kind of process is told.
@Suite struct RoleSettingsTests {
    private func rewritten<Settings: RoleSettings>(_ settings: Settings) throws -> Settings {
        try JSONDecoder().decode(Settings.self, from: JSONEncoder().encode(settings))
    }

    @Test func everyRolesSettingsSurviveBeingWrittenAsJSON() throws {
        let line = CommandLine(
            "--model m --api-key k --chunked-prefill-size -1 --kernel-isa avx2 --dtype half --cpu-bind 1-3 "
                + "--quantization int4 --schedule-policy lof --kv-cache-dtype bf16 --extra-metric-labels {\"a\":\"b\"} "
                + "--bucket-time-to-first-token 0.5 7 --prompt-tokens-buckets tse 100 2 3 --watchdog-timeout 0.3")
        let settings = try #require(line.settings)
        for original in [settings, ServerSettings()] {
            #expect(try rewritten(FrontSettings(original)) == FrontSettings(original))
            #expect(try rewritten(TextSettings(original)) == TextSettings(original))
            #expect(try rewritten(WorkerSettings(original)) == WorkerSettings(original))
            #expect(try rewritten(LauncherSettings(original)) == LauncherSettings(original))
        }
        let worker = WorkerSettings(settings)
        #expect(worker.chunkedPrefillSize == nil && worker.kernelISA == .avx2 && worker.dtype == .float16)
        #expect(worker.quantization == .int4 && worker.schedulePolicy == .lof && worker.kvCacheDType == .bfloat16)
    }

    @Test func theFrontTellsAllArgumentsButNoSecret() throws {
        let settings = try #require(CommandLine("--model m --api-key sesame --page-size 16").settings)
        let front = FrontSettings(settings)
        #expect(front.apiKey == "sesame" && !front.arguments.contains("sesame"))
        #expect(front.argumentsJSON()["api_key"] == "***" && front.argumentsJSON()["page_size"] == 16)
    }

    @Test func newFlagsReachThoseWhoNeedThem() throws {
        let settings = try #require(
            CommandLine("--model m --target-itl-ms 30 --strict-weights --keep-alive-timeout 75").settings)
        #expect(WorkerSettings(settings).targetInterTokenMilliseconds == 30 && WorkerSettings(settings).strictWeights)
        #expect(FrontSettings(settings).keepAliveTimeout == 75)
        #expect(WorkerSettings().targetInterTokenMilliseconds == 100 && !WorkerSettings().strictWeights)
        #expect(FrontSettings().keepAliveTimeout == 5)
    }

    @Test func headersThatLogsOfRequestsTellAreSettings() throws {
        var line = CommandLine("--model m")
        #expect(FrontSettings(try #require(line.settings)).requestLog.headers == ["x-smg-routing-key"])
        line.environment = ["SGLANG_LOG_REQUEST_HEADERS": "X-Test, x-more"]
        let headers = FrontSettings(try #require(line.settings)).requestLog.headers
        #expect(headers == ["x-smg-routing-key", "x-test", "x-more"])
    }

    @Test func timesOfSGLangsVariablesAreSettings() throws {
        var line = CommandLine("--model m")
        line.environment = [
            "SGLANG_REQ_WAITING_TIMEOUT": "1.5", "SGLANG_REQ_RUNNING_TIMEOUT": "-1", "SGLANG_HEALTH_CHECK_TIMEOUT": "3",
            "SGLANG_TIMEOUT_KEEP_ALIVE": "75",
        ]
        let settings = try #require(line.settings)
        #expect(WorkerSettings(settings).requestWaitingTimeout == 1.5)
        #expect(WorkerSettings(settings).requestRunningTimeout == nil)
        #expect(FrontSettings(settings).healthCheckTimeout == 3 && FrontSettings(settings).keepAliveTimeout == 75)
        line.arguments += ["--keep-alive-timeout", "5"]
        #expect(line.settings?.keepAliveTimeout == 5)
    }

    @Test(arguments: [
        ("SGLANG_REQ_WAITING_TIMEOUT", "soon"), ("SGLANG_REQ_RUNNING_TIMEOUT", "nan"),
        ("SGLANG_HEALTH_CHECK_TIMEOUT", "0"), ("SGLANG_TIMEOUT_KEEP_ALIVE", "-5"),
    ])
    func aTimeThatIsNoneIsAnErrorWithItsVariable(variable: String, text: String) {
        var line = CommandLine("--model m")
        line.environment = [variable: text]
        #expect(line.failure?.contains("environment variable \(variable): '\(text)'") == true)
    }
}
