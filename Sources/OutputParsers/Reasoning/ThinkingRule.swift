internal import JSON

/// When an answer begins inside the thinking part, going by the parser alone: for chat templates that do not show it.
enum ThinkingRule: Sendable, Equatable {
    /// Always, whatever the request says.
    case always
    /// Never: the model writes its opening marker itself.
    case never
    /// Unless this variable of the template is false.
    case unlessOff(String)
    /// Only if this variable of the template is true.
    case onlyIfOn(String)
    /// Only if this variable of the template has that text.
    case ifEqual(String, String)
    /// Only if the request gives a `reasoning_effort` other than "none" and "no_think".
    case ifEffortIsGiven

    /// What the rule says of a request with these variables.
    func isForced(_ variables: JSONObject) -> Bool {
        switch self {
        case .always: true
        case .never: false
        case .unlessOff(let name): variables[name] != false
        case .onlyIfOn(let name): variables[name] == true
        case .ifEqual(let name, let text): variables[name] == .string(text)
        case .ifEffortIsGiven:
            variables["reasoning_effort"].map { !$0.isNull && $0 != "none" && $0 != "no_think" } ?? false
        }
    }
}
