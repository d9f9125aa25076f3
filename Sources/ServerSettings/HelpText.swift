/// What `srt launch_server --help` and a wrong command line show.
enum HelpText {
    /// One line that shows how the command is written.
    static let usage =
        "usage: srt launch_server --model-path PATH [--host ADDRESS] [--port PORT] [flag …]   (--help lists the flags)"

    /// The honoured flags by section, with their defaults, and what becomes of the others.
    static let full: String = {
        var lines = [
            "usage: srt launch_server --model-path PATH [flag …]", "",
            "Serves a language model over HTTP with SGLang's interface, on CPUs. `srt serve` is the same command.",
            "Flags are called as in SGLang. A value follows after a space or '='; a flag may be cut to a unique prefix.",
        ]
        for section in FlagSection.allCases where section != .other {
            lines += ["", section.rawValue + ":"] + FlagCatalog.honoured(in: section).flatMap(describe)
        }
        lines += [
            "", "Other flags of SGLang:",
            "  \(FlagCatalog.ignored.count) flags that make no difference on a CPU are accepted with one warning each.",
            "  \(FlagCatalog.refused.count) flags that ask for something srt lacks are errors that say what to do instead,",
            "  unless they are given with their default.", "",
        ]
        return lines.joined(separator: "\n")
    }()

    private static let column = 34

    private static func describe(_ flag: Flag) -> [String] {
        let names = ([flag.name] + flag.aliases).map { "--" + $0 }.joined(separator: ", ")
        let head = "  " + names + (flag.kind.valueName.isEmpty ? "" : " " + valueName(of: flag))
        let text = flag.help + (standard(of: flag).map { " [\($0)]" } ?? "")
        if head.count < column {
            return [head + String(repeating: " ", count: column - head.count) + text]
        }
        return wrapped(head) + [String(repeating: " ", count: column) + text]
    }

    /// A head as lines of bearable width, cut behind commas.
    private static func wrapped(_ head: String) -> [String] {
        var lines = [""]
        for (index, part) in head.split(separator: ",", omittingEmptySubsequences: false).enumerated() {
            if index > 0 { lines[lines.count - 1] += "," }
            if lines[lines.count - 1].count + part.count > 110, index > 0 { lines.append("    ") }
            lines[lines.count - 1] += part
        }
        return lines
    }

    /// The served values only, by name.
    private static func valueName(of flag: Flag) -> String {
        guard let served = flag.served else { return flag.kind.valueName }
        let words = served.values.map { value in
            if case .text(let word) = value { word } else { value.pythonRepr }
        }
        return FlagKind.choice(words).valueName
    }

    /// The default, where one value says it.
    private static func standard(of flag: Flag) -> String? {
        guard case .honoured(let binding) = flag.standing, flag.kind != .toggle, !flag.help.hasSuffix(")") else {
            return nil
        }
        switch binding.value(ServerSettings()) {
        case .null, .text(""), .text("{}"), .bool: return nil
        case .text(let word): return word
        case let value: return value.pythonRepr
        }
    }
}
