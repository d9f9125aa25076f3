package import JSON

/// How the settings look to tools that know SGLang's.
extension ServerSettings {
    /// Every server argument by its SGLang name, in SGLang's order, then those that only srt has.
    ///
    /// Arguments that srt does not honour stand with SGLang's defaults. Secrets are blanked.
    package func arguments() -> [(name: String, value: ArgumentValue)] {
        var reported = ReferenceArguments.all
        var places = Dictionary(uniqueKeysWithValues: reported.enumerated().map { ($1.name, $0) })
        func report(_ name: String, _ value: ArgumentValue) {
            if let place = places[name] {
                reported[place].value = value
            } else {
                places[name] = reported.count
                reported.append((name, value))
            }
        }
        for flag in FlagCatalog.flags {
            switch flag.standing {
            case .honoured(let binding), .partly(let binding, _):
                let value = binding.value(self)
                report(flag.field, flag.isSecret && value != .null ? .text("***") : value)
            case .inherent(let value):
                report(flag.field, value)
            default:
                break
            }
        }
        return reported
    }

    /// `arguments` as the text of a JSON object.
    var argumentsText: String {
        JSON.encodeToString(.object(JSONObject(arguments().map { ($0.name, $0.value.json) })))
    }

    /// The line that tools grep for single items: `server_args=ServerArgs(model_path='…', …)`, honoured flags only.
    package var argumentLine: String {
        let honoured = Set(FlagCatalog.flags.filter { !$0.help.isEmpty }.map(\.field))
        let items = arguments().filter { honoured.contains($0.name) }.map { "\($0.name)=\($0.value.pythonRepr)" }
        return "server_args=ServerArgs(" + items.joined(separator: ", ") + ")"
    }
}

extension FrontSettings {
    /// All arguments as a JSON object, for /server_info.
    ///
    /// - Parameter resolved: Values that only the running server knows, by name, such as `max_total_tokens`.
    package func argumentsJSON(resolved: [String: ArgumentValue] = [:]) -> JSONValue {
        var members = (try? JSON.parse(arguments))?.objectValue ?? [:]
        for (name, value) in resolved.sorted(by: { $0.key < $1.key }) { members[name] = value.json }
        return .object(members)
    }
}

extension ArgumentValue {
    /// The same value in JSON.
    package var json: JSONValue {
        switch self {
        case .null: .null
        case .bool(let value): .bool(value)
        case .integer(let value): .int(Int64(value))
        case .number(let value): .double(value)
        case .text(let value): .string(value)
        case .list(let values): .array(values.map(\.json))
        }
    }
}

/// A word as a shell needs it.
enum ShellWord {
    /// The word itself, or in single quotes where it holds anything but harmless characters.
    static func quoted(_ word: String) -> String {
        let harmless = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789@%+=:,./-_*"
        if !word.isEmpty, word.allSatisfy(harmless.contains) { return word }
        return "'" + word.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\"'\"'") + "'"
    }
}
