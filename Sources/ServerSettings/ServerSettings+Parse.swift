internal import Values

/// What a command line comes to.
package enum SettingsOutcome: Sendable, Equatable {
    /// Settings to start with, and sentences to log as warnings first.
    case settings(ServerSettings, warnings: [String])
    /// Text for standard output; the program then ends with success.
    case help(String)
    /// Text for standard error; the program then ends with this status.
    case failure(String, exitCode: Int32)
}

extension ServerSettings {
    /// Reads the arguments of `srt launch_server`, with the rules of SGLang's launcher.
    ///
    /// - Parameters:
    ///   - arguments: What follows the command's name.
    ///   - environment: The variables of this process; see `SettingsAssembly.takeEnvironment`.
    ///   - readFile: The text of the file that `--config` names; throws where it cannot be read.
    ///   - randomSeed: Draws the seed if none is given.
    package static func parse(
        _ arguments: [String],
        environment: [String: String],
        readFile: @escaping (String) throws -> String,
        randomSeed: () -> Int = { Int.random(in: 0...(1 << 30)) }
    ) -> SettingsOutcome {
        do throws(UsageError) {
            let scan = try ArgumentScanner(arguments)
            if scan.wantsHelp { return .help(HelpText.full) }
            var assembly = SettingsAssembly(readFile: readFile)
            try assembly.apply(scan.uses)
            try assembly.finish(environment: environment, randomSeed: randomSeed)
            assembly.settings.launchCommand = scan.shownWords.map(ShellWord.quoted).joined(separator: " ")
            return .settings(assembly.settings, warnings: assembly.warnings)
        } catch {
            let usage: Bool
            if case .unsupported = error { usage = false } else { usage = true }
            return .failure((usage ? HelpText.usage + "\n" : "") + "error: " + error.message + "\n", exitCode: 2)
        }
    }
}

/// Builds settings from flags, one after the other.
struct SettingsAssembly {
    var settings = ServerSettings()
    private(set) var warnings: [String] = []
    private(set) var given: Set<String> = []
    private let readFile: (String) throws -> String

    init(readFile: @escaping (String) throws -> String) {
        self.readFile = readFile
    }

    /// Applies the configuration file first and then the command line, which thereby wins.
    mutating func apply(_ uses: [FlagUse]) throws(UsageError) {
        let files = uses.filter { $0.flag.name == "config" }.flatMap(\.values)
        guard files.count <= 1 else { throw .configuration("--config can be given once only") }
        for path in files { try applyFile(path) }
        for use in uses { try apply(use) }
    }

    private mutating func applyFile(_ path: String) throws(UsageError) {
        guard path.hasSuffix(".yaml") || path.hasSuffix(".yml") else {
            throw .configuration("configuration file '\(path)' must end in .yaml or .yml")
        }
        let text: String
        do {
            text = try readFile(path)
        } catch {
            throw .configuration("configuration file '\(path)' cannot be read: \(error)")
        }
        for entry in try ConfigurationFile(text, path: path).entries {
            do throws(UsageError) {
                try apply(entry)
            } catch {
                throw .inFile(path, line: entry.line, error)
            }
        }
    }

    private mutating func apply(_ entry: ConfigurationEntry) throws(UsageError) {
        let name = String(entry.key.map { $0 == "_" ? "-" : $0 })
        guard let flag = try FlagName(name)?.flag, flag.name != "config" else {
            let nearest = Spelling.nearest(to: name, among: FlagCatalog.byName.keys)
            throw .unrecognized(["--" + name], hints: nearest.map { ["did you mean \($0)?"] } ?? [])
        }
        switch (entry.value, flag.kind) {
        case (.null, _), (.bool(false, _), .toggle): break
        case (.bool(true, _), .toggle): try apply(FlagUse(flag: flag))
        case (.word(let word), .toggle), (.integer(_, let word), .toggle):
            throw .unexpectedValue(flag: flag.spellings, value: word)
        case (.integer(let number, _), .integer), (.integer(let number, _), .count), (.integer(let number, _), .number):
            try apply(FlagUse(flag: flag, values: [String(number)]))
        case (.word(let word), _), (.bool(_, let word), _), (.integer(_, let word), _),
            (.object(let word), .jsonObject):
            try apply(FlagUse(flag: flag, values: [word]))
        case (.object(let text), _):
            throw .outOfRange(flag: flag.spellings, value: text, rule: "is a map, but one value is taken")
        case (.list(let words), .list): try apply(FlagUse(flag: flag, values: words))
        case (.list(let words), _):
            throw .outOfRange(
                flag: flag.spellings, value: "[" + words.joined(separator: ", ") + "]",
                rule: "is a list, but one value is taken")
        }
    }

    private mutating func apply(_ use: FlagUse) throws(UsageError) {
        let flag = use.flag
        let value = use.isNegated ? ArgumentValue.bool(false) : try flag.convert(use.values)
        let isDefault = value == (ReferenceArguments.byField[flag.field] ?? .null)
        if let served = flag.served, !served.values.contains(value) {
            throw .unsupported(flag: "--\(flag.name) \(use.values.joined(separator: " "))", reason: served.reason)
        }
        switch flag.standing {
        case .honoured(let binding):
            try store(value, of: use, by: binding)
        case .partly(let binding, let missing):
            try store(value, of: use, by: binding)
            warn("--\(flag.name) \(missing)")
        case .inherent, .fixed, .configurationFile:
            break
        case .ignored(let reason):
            if !isDefault { warn("--\(flag.name) has no effect: \(reason)") }
        case .refused(let reason):
            if isDefault { break }
            let words = ["--" + (use.isNegated ? "no-" : "") + flag.name] + use.values.filter { _ in !flag.isSecret }
            throw .unsupported(flag: words.joined(separator: " "), reason: reason)
        case .renamed(let successor):
            warn("--\(flag.name) is called --\(successor) today")
            if let flag = FlagCatalog.byName[successor] {
                try apply(FlagUse(flag: flag, values: use.values))
            }
        }
        given.insert(flag.name)
    }

    private mutating func store(_ value: ArgumentValue, of use: FlagUse, by binding: FlagBinding) throws(UsageError) {
        guard binding.store(value, &settings) else {
            if let complaint = binding.complaint {
                throw .outOfRange(
                    flag: use.flag.spellings, value: use.values.joined(separator: " "), rule: complaint)
            }
            throw .invalidValue(
                flag: use.flag.spellings, type: use.flag.kind.typeName, value: use.values.joined(separator: " "))
        }
    }

    /// Warns once, however often a flag is given.
    private mutating func warn(_ sentence: String) {
        if !warnings.contains(sentence) { warnings.append(sentence) }
    }

    /// Fills what was not given and checks what only the whole shows.
    mutating func finish(environment: [String: String], randomSeed: () -> Int) throws(UsageError) {
        guard !settings.modelPath.isEmpty else { throw .required(flag: "--model-path/--model") }
        try checkScheduling()
        try checkEncryption()
        for (name, text) in [
            ("api-key", settings.apiKey), ("admin-api-key", settings.adminAPIKey),
            ("tokenizer-path", given.contains("tokenizer-path") ? settings.tokenizerPath : nil),
            ("served-model-name", given.contains("served-model-name") ? settings.servedModelName : nil),
            ("run-dir", settings.runDirectory), ("weight-cache-dir", settings.weightCacheDirectory),
            ("ssl-certfile", settings.tls.certificates), ("ssl-keyfile", settings.tls.key),
        ] where text == "" {
            throw .outOfRange(flag: "--" + name, value: "", rule: "is empty")
        }
        if settings.servedModelName.contains(":") {
            throw .outOfRange(
                flag: "--served-model-name", value: settings.servedModelName,
                rule: "holds a ':', which separates adapters")
        }
        if settings.tokenizerPath.isEmpty { settings.tokenizerPath = settings.modelPath }
        if settings.servedModelName.isEmpty { settings.servedModelName = settings.modelPath }
        if !given.contains("random-seed") { settings.randomSeed = randomSeed() }
        try takeEnvironment(environment)
    }

    /// A certificate is nothing without its key, nor is the rest without a certificate.
    private func checkEncryption() throws(UsageError) {
        let tls = settings.tls
        guard (tls.certificates == nil) == (tls.key == nil) else {
            let (given, missing) = tls.key == nil ? ("certfile", "keyfile") : ("keyfile", "certfile")
            throw .outOfRange(
                flag: "--ssl-" + given, value: tls.certificates ?? tls.key ?? "", rule: "needs --ssl-\(missing) too")
        }
        for name in ["ssl-ca-certs", "ssl-keyfile-password"] where given.contains(name) && !tls.areGiven {
            throw .outOfRange(
                flag: "--" + name, value: name == "ssl-ca-certs" ? tls.authorities ?? "" : "***",
                rule: "needs --ssl-certfile and --ssl-keyfile")
        }
    }

    /// What only several flags of the scheduler together show.
    private mutating func checkScheduling() throws(UsageError) {
        if settings.chunkedPrefillSize == 0 {
            throw .outOfRange(
                flag: "--chunked-prefill-size", value: "0", rule: "is neither a length nor -1, which cuts nothing")
        }
        if let chunk = settings.chunkedPrefillSize, chunk % settings.pageSize != 0 {
            throw .outOfRange(
                flag: "--chunked-prefill-size", value: "\(chunk)",
                rule: "is not a multiple of --page-size \(settings.pageSize)")
        }
        guard settings.enablePriorityScheduling else {
            if settings.retractionPolicy == .priority {
                throw .outOfRange(
                    flag: "--retraction-policy", value: "priority", rule: "needs --enable-priority-scheduling")
            }
            for name in [
                "schedule-low-priority-values-first", "default-priority-value",
                "priority-scheduling-preemption-threshold", "disable-priority-preemption",
            ] where given.contains(name) {
                warn("--\(name) has no effect without --enable-priority-scheduling")
            }
            return
        }
        guard settings.schedulePolicy == .fcfs || settings.schedulePolicy == .lof else {
            throw .outOfRange(
                flag: "--schedule-policy", value: settings.schedulePolicy.rawValue,
                rule: "does not go with --enable-priority-scheduling, which needs fcfs or lof")
        }
    }
}
