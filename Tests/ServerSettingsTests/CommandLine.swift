import ServerSettings

/// A command line under test, with a made-up environment and file system.
struct CommandLine {
    /// The arguments after the command's name.
    var arguments: [String]
    /// The variables that can be looked up.
    var environment: [String: String] = [:]
    /// Texts by path.
    var files: [String: String] = [:]

    /// No such file.
    struct Missing: Error, CustomStringConvertible {
        let description = "no such file"
    }

    /// Splits a line at blanks.
    init(_ line: String) {
        arguments = line.split(separator: " ").map(String.init)
    }

    /// Takes words as they are.
    init(words: [String]) {
        arguments = words
    }

    /// What the line comes to; the seed drawn is 4711.
    var outcome: SettingsOutcome {
        let files = files
        return ServerSettings.parse(
            arguments, environment: environment,
            readFile: { path throws in
                guard let text = files[path] else { throw Missing() }
                return text
            },
            randomSeed: { 4711 })
    }

    /// The settings, or nil where the line is wrong.
    var settings: ServerSettings? {
        if case .settings(let settings, _) = outcome { settings } else { nil }
    }

    /// The warnings, or nil where the line is wrong.
    var warnings: [String]? {
        if case .settings(_, let warnings) = outcome { warnings } else { nil }
    }

    /// The text of the failure with its exit status checked, or nil where the line is right.
    var failure: String? {
        guard case .failure(let text, let exitCode) = outcome, exitCode == 2, text.hasSuffix("\n") else { return nil }
        return text
    }
}
