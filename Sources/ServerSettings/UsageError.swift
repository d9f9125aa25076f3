/// What is wrong with a command line, in argparse's words where it has some.
indirect enum UsageError: Error, Equatable {
    /// Arguments that no flag takes, with the flags that may have been meant.
    case unrecognized([String], hints: [String])
    /// A prefix of several flags.
    case ambiguous(String, candidates: [String])
    /// A flag without its value.
    case missingValue(flag: String)
    /// A list flag without any.
    case missingValues(flag: String)
    /// `--toggle=value`.
    case unexpectedValue(flag: String, value: String)
    /// A value of the wrong type.
    case invalidValue(flag: String, type: String, value: String)
    /// A number out of bounds, or text that breaks a rule.
    case outOfRange(flag: String, value: String, rule: String)
    /// A word that is none of the choices.
    case invalidChoice(flag: String, value: String, choices: [String])
    /// A flag, or a value of it, that srt does not serve.
    case unsupported(flag: String, reason: String)
    /// A flag that must be there.
    case required(flag: String)
    /// An environment variable with a value of no use.
    case environment(variable: String, value: String, choices: [String])
    /// Something wrong with the configuration file itself.
    case configuration(String)
    /// An error in one line of the configuration file.
    case inFile(String, line: Int, UsageError)

    /// The sentence after `error: `.
    var message: String {
        switch self {
        case .unrecognized(let arguments, let hints):
            (["unrecognized arguments: " + arguments.joined(separator: " ")] + hints).joined(separator: "\n")
        case .ambiguous(let prefix, let candidates):
            "ambiguous option: \(prefix) could match \(candidates.joined(separator: ", "))"
        case .missingValue(let flag): "argument \(flag): expected one argument"
        case .missingValues(let flag): "argument \(flag): expected at least one argument"
        case .unexpectedValue(let flag, let value): "argument \(flag): ignored explicit argument '\(value)'"
        case .invalidValue(let flag, let type, let value): "argument \(flag): invalid \(type) value: '\(value)'"
        case .outOfRange(let flag, let value, let rule): "argument \(flag): '\(value)' \(rule)"
        case .invalidChoice(let flag, let value, let choices):
            "argument \(flag): invalid choice: '\(value)' (choose from \(Self.quoted(choices)))"
        case .unsupported(let flag, let reason): "\(flag) is not supported by srt: \(reason)"
        case .required(let flag): "the following arguments are required: \(flag)"
        case .environment(let variable, let value, let choices):
            "environment variable \(variable): invalid choice: '\(value)' (choose from \(Self.quoted(choices)))"
        case .configuration(let text): text
        case .inFile(let path, let line, let error): "\(path), line \(line): \(error.message)"
        }
    }

    private static func quoted(_ words: [String]) -> String {
        words.map { "'\($0)'" }.joined(separator: ", ")
    }
}
