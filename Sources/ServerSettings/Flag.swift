/// One launch flag: how it is written, what it takes, and what srt does with it.
struct Flag: Sendable {
    /// Long name without dashes, in SGLang's spelling.
    let name: String
    /// Other long names of the same flag.
    var aliases: [String] = []
    /// What follows the flag.
    var kind: FlagKind
    /// What srt does with the value.
    var standing: FlagStanding
    /// Heading under which `--help` lists the flag.
    var section = FlagSection.other
    /// What the flag means, for `--help`; empty for flags that are not honoured.
    var help = ""
    /// Values that are served out of those that SGLang takes; nil: all.
    var served: ServedValues?
    /// False for flags that SGLang has dropped: they must be written out.
    var isAbbreviable = true
    /// True for a value that must not appear in logs.
    var isSecret = false

    /// Name of the field in SGLang's server arguments.
    var field: String { Self.renamedFields[name] ?? String(name.map { $0 == "-" ? "_" : $0 }) }

    /// All spellings with their dashes, the name first, as argparse names an argument in its errors.
    var spellings: String { ([name] + aliases).map { "--" + $0 }.joined(separator: "/") }

    /// Flags whose field is not called like the flag.
    private static let renamedFields = [
        "fp8-gemm-backend": "fp8_gemm_runner_backend",
        "fp4-gemm-backend": "fp4_gemm_runner_backend",
        "elastic-ep-join-mode": "ep_join_mode",
        "elastic-ep-join-rank-offset": "ep_join_rank_offset",
    ]
}

/// What follows a flag on the command line.
enum FlagKind: Sendable, Equatable {
    /// Nothing: the flag alone means true.
    case toggle
    /// Any text.
    case text(valueName: String)
    /// A JSON object.
    case jsonObject
    /// A whole number within bounds.
    case integer(ClosedRange<Int>)
    /// A whole number within bounds that may end in k, M, G, T (decimal) or Ki, Mi, Gi, Ti (binary).
    case count(ClosedRange<Int>)
    /// A number within bounds.
    case number(ClosedRange<Double>)
    /// One of some words.
    case choice([String])
    /// Words up to the next flag, at least as many.
    case list(atLeast: Int)
    /// A word or nothing.
    case optionalText
    /// Lists of CPU cores, one for each rank.
    case coreGroups

    /// What Python calls the type when a value does not fit it.
    var typeName: String {
        switch self {
        case .integer, .count: "int"
        case .number: "float"
        case .jsonObject: "JSON object"
        default: "str"
        }
    }

    /// The value as usage texts show it, empty for a toggle.
    var valueName: String {
        switch self {
        case .toggle: ""
        case .text(let valueName): valueName
        case .jsonObject: "JSON"
        case .integer, .count: "N"
        case .number: "X"
        case .choice(let words): "{" + words.joined(separator: ",") + "}"
        case .list: "WORD …"
        case .optionalText: "[WORD]"
        case .coreGroups: "CORES|CORES…"
        }
    }
}

/// What srt does with a flag.
enum FlagStanding: Sendable {
    /// The value goes to a field of the settings.
    case honoured(FlagBinding)
    /// The value goes to a field, but a part of what SGLang does with it is missing: one warning says which.
    case partly(FlagBinding, missing: String)
    /// srt always behaves as this value says; it is accepted and reported as such.
    case inherent(ArgumentValue)
    /// Only the default can be served, and there is nothing to store.
    case fixed
    /// Accepted with one warning that says why it has no effect.
    case ignored(String)
    /// An error that says why, unless the value is the default.
    case refused(String)
    /// A flag of older scripts that stands for another one today.
    case renamed(to: String)
    /// `--config`, which is read before the others.
    case configurationFile
}

/// Which values of a flag are served, and what to say of the others.
struct ServedValues: Sendable {
    /// The served ones.
    let values: [ArgumentValue]
    /// Why others are not, or what to do instead.
    let reason: String

    /// Serves words.
    init(_ words: [String], otherwise reason: String) {
        values = words.map(ArgumentValue.text)
        self.reason = reason
    }

    /// Serves numbers.
    init(_ numbers: [Int], otherwise reason: String) {
        values = numbers.map(ArgumentValue.integer)
        self.reason = reason
    }
}

/// Headings of `--help`.
enum FlagSection: String, Sendable, CaseIterable {
    /// Checkpoint and numbers.
    case model = "Model"
    /// The HTTP side.
    case serving = "Serving"
    /// Batches, queues, cache.
    case scheduling = "Scheduling and memory"
    /// Devices, ranks, threads.
    case device = "Device"
    /// Logs and counters.
    case observability = "Logs and metrics"
    /// Processes and limits of srt itself.
    case processes = "Only in srt"
    /// Not shown.
    case other = ""
}

/// Ties a flag to the field of the settings that it fills.
struct FlagBinding: Sendable {
    /// Stores a converted value; false where the field cannot hold it.
    let store: @Sendable (ArgumentValue, inout ServerSettings) -> Bool
    /// The field's value as an argument.
    let value: @Sendable (ServerSettings) -> ArgumentValue
    /// What is wrong with a value that the field cannot hold, to be read after it; nil: it has the wrong type.
    var complaint: String?

    /// Binds to one field.
    init<Value: ArgumentConvertible>(
        _ field: any WritableKeyPath<ServerSettings, Value> & Sendable, otherwise complaint: String? = nil
    ) {
        self.complaint = complaint
        store = { argument, settings in
            guard let value = Value(argument: argument) else { return false }
            settings[keyPath: field] = value
            return true
        }
        value = { $0[keyPath: field].argument }
    }

    /// Binds to a count of which −1 means "none".
    init(minusOneIsNil field: any WritableKeyPath<ServerSettings, Int?> & Sendable) {
        store = { argument, settings in
            guard case .integer(let value) = argument else { return false }
            settings[keyPath: field] = value == -1 ? nil : value
            return true
        }
        value = { .integer($0[keyPath: field] ?? -1) }
    }
}
