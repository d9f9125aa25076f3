internal import Glibc
internal import JSON
package import ServerSettings
package import Supervisor
internal import Values

extension ServerPlan {
    /// What a server with these settings needs of the supervisor.
    package init(for settings: ServerSettings, warnings: [String]) {
        self.init { port, runDirectory in
            var final = settings
            (final.port, final.runDirectory) = (port, runDirectory)
            final.kernelRates = final.kernelRatesOfThisMachine()
            return try SettingsFile.all(final)
        }
        let settings = LauncherSettings(settings)
        (host, port, runDirectory) = (settings.host, settings.port, settings.runDirectory)
        policy = Self.policy(settings)
        modelName = settings.servedModelName
        (apiKey, isSecure) = (settings.apiKey, settings.isSecure)
        warmupBody = Self.warmupBody(settings)
        quietestLevel =
            switch settings.logLevel {
            case .debug, .info: .info
            case .warning: .warning
            case .error, .critical: .error
            }
        openingLines =
            [LogLine(level: .info, text: settings.argumentLine)]
            + warnings.map { LogLine(level: .warning, text: $0) }
    }

    private static func policy(_ settings: LauncherSettings) -> SupervisorPolicy {
        var policy = SupervisorPolicy()
        policy.ranks = settings.tensorParallelSize
        policy.onFailure =
            switch settings.onChildFailure {
            case .restart: .restart
            case .exit: .exit
            }
        policy.maxRestarts = settings.maxRestarts
        policy.computePhaseLimit = settings.watchdogTimeout
        policy.drainTimeout = settings.drainTimeout
        policy.warmup = !settings.skipServerWarmup
        policy.jitterSeed = UInt64(getpid())
        return policy
    }

    /// SGLang's warm-up request.
    private static func warmupBody(_ settings: LauncherSettings) -> String {
        var request: JSONObject = ["sampling_params": ["temperature": 0, "max_new_tokens": 8]]
        if settings.skipTokenizerInit {
            request["input_ids"] = [10, 11, 12]
        } else {
            request["text"] = "The capital city of France is"
        }
        return JSON.encodeToString(.object(request))
    }
}
