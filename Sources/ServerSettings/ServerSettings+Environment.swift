internal import Values

extension SettingsAssembly {
    /// Cores by rank: as many lists as ranks.
    private mutating func takeCores(_ environment: [String: String]) throws(UsageError) {
        let variable = "SGLANG_CPU_OMP_THREADS_BIND"
        var source = "argument --cpu-bind"
        // SGLang's word for no choice.
        if settings.cpuBind == nil, let text = environment[variable], !text.isEmpty, text != "all" {
            if let problem = CoreGroups.problem(with: text) {
                throw .configuration("environment variable \(variable): '\(text)' \(problem)")
            }
            settings.cpuBind = CoreGroups(text)
            source = "environment variable \(variable)"
        }
        guard let cores = settings.cpuBind, cores.ranks.count != settings.tensorParallelSize else { return }
        throw .configuration(
            "\(source): '\(cores.text)' names cores of \(cores.ranks.count) rank(s), but --tp-size is "
                + "\(settings.tensorParallelSize)")
    }

    /// Takes what variables decide where no flag does: SRT_KERNEL_ISA, SGLANG_CPU_OMP_THREADS_BIND,
    /// SGLANG_TIMEOUT_KEEP_ALIVE, SGLANG_REQ_WAITING_TIMEOUT, SGLANG_REQ_RUNNING_TIMEOUT, SGLANG_HEALTH_CHECK_TIMEOUT,
    /// SGLANG_TORCH_PROFILER_DIR, SGLANG_EXPERT_DISTRIBUTION_RECORDER_DIR, SGLANG_EMBEDDINGS_SPARSE_HEAD,
    /// SGLANG_LOG_REQUEST_HEADERS, AIP_PREDICT_ROUTE, DISABLE_OPENAPI_DOC, XDG_CACHE_HOME and HOME. No other variable is
    /// read, and none of these by any other process.
    mutating func takeEnvironment(_ environment: [String: String]) throws(UsageError) {
        if settings.kernelISA == nil, let word = environment["SRT_KERNEL_ISA"], !word.isEmpty {
            guard let ceiling = KernelISA(rawValue: word) else {
                throw .environment(
                    variable: "SRT_KERNEL_ISA", value: word,
                    choices: KernelISA.allCases.map(\.rawValue))
            }
            settings.kernelISA = ceiling
        }
        try takeCores(environment)
        try takeTimes(environment)
        try takePlaces(environment)
        if settings.weightCacheDirectory == "none" {
            settings.weightCacheDirectory = nil
        } else if settings.weightCacheDirectory == nil {
            settings.weightCacheDirectory = Self.cacheFolder(environment).map { $0 + "/srt/weights" }
        }
    }

    /// Folders and paths that SGLang takes from variables alone.
    private mutating func takePlaces(_ environment: [String: String]) throws(UsageError) {
        if let folder = environment["SGLANG_TORCH_PROFILER_DIR"], !folder.isEmpty { settings.profileFolder = folder }
        if let folder = environment["SGLANG_EXPERT_DISTRIBUTION_RECORDER_DIR"], !folder.isEmpty {
            settings.expertRecorderDirectory = folder
        }
        if let file = environment["SGLANG_EMBEDDINGS_SPARSE_HEAD"], !file.isEmpty { settings.sparseHead = file }
        if let path = environment["AIP_PREDICT_ROUTE"], !path.isEmpty {
            guard path.hasPrefix("/"), path.count > 1, !path.contains(where: { "*{}:?#".contains($0) }) else {
                throw .configuration("environment variable AIP_PREDICT_ROUTE: '\(path)' is no path of a request")
            }
            settings.predictionPath = path
        }
        for name in (environment["SGLANG_LOG_REQUEST_HEADERS"] ?? "").split(separator: ",") {
            settings.requestLog.headers.append(name.filter { !$0.isWhitespace }.lowercased())
        }
        let isHidden = environment["DISABLE_OPENAPI_DOC"] ?? ""
        settings.servesDescription = ["", "0", "false", "no", "off"].contains(isHidden.lowercased())
    }

    /// Times that SGLang takes from variables alone, but for the first.
    private mutating func takeTimes(_ environment: [String: String]) throws(UsageError) {
        if !given.contains("keep-alive-timeout") {
            settings.keepAliveTimeout =
                try Self.seconds("SGLANG_TIMEOUT_KEEP_ALIVE", environment) ?? settings.keepAliveTimeout
        }
        settings.requestWaitingTimeout = try Self.limit("SGLANG_REQ_WAITING_TIMEOUT", environment)
        settings.requestRunningTimeout = try Self.limit("SGLANG_REQ_RUNNING_TIMEOUT", environment)
        settings.healthCheckTimeout =
            try Self.seconds("SGLANG_HEALTH_CHECK_TIMEOUT", environment) ?? settings.healthCheckTimeout
    }

    /// A time above zero; nil where the variable is not set.
    private static func seconds(
        _ variable: String, _ environment: [String: String]
    ) throws(UsageError) -> Double? {
        guard let text = environment[variable], !text.isEmpty else { return nil }
        guard let seconds = PythonNumber.float(text), seconds > 0, seconds <= 1e9 else {
            throw .configuration("environment variable \(variable): '\(text)' is not between 0 and 1000000000 seconds")
        }
        return seconds
    }

    /// A time of which a negative one means no limit, as SGLang's −1 does; nil where there is none.
    private static func limit(_ variable: String, _ environment: [String: String]) throws(UsageError) -> Double? {
        guard let text = environment[variable], !text.isEmpty else { return nil }
        guard let seconds = PythonNumber.float(text) else {
            throw .configuration("environment variable \(variable): '\(text)' is not a number of seconds")
        }
        return (0..<1e9).contains(seconds) ? seconds : nil
    }

    /// The user's cache folder by the XDG rules: relative paths in the variable are ignored.
    private static func cacheFolder(_ environment: [String: String]) -> String? {
        if let folder = environment["XDG_CACHE_HOME"], folder.hasPrefix("/") { return folder }
        guard let home = environment["HOME"], home.hasPrefix("/") else { return nil }
        return home == "/" ? "/.cache" : home + "/.cache"
    }
}
