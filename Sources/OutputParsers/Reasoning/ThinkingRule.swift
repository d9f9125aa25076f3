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
    /// Unless variables of the template switch it off, `thinking` and `enable_thinking` alike; one that is true is enough.
    case unlessBothAreOff
    /// Only if the request gives a `reasoning_effort` other than "none" and "no_think".
    case ifEffortIsGiven

    /// Whether the rule goes before what the chat template shows.
    var isFirst: Bool {
        switch self {
        case .always, .ifEqual, .unlessBothAreOff: true
        case .never, .unlessOff, .onlyIfOn, .ifEffortIsGiven: false
        }
    }

    /// What the rule says of a request with these variables.
    func isForced(_ variables: JSONObject) -> Bool {
        switch self {
        case .always: true
        case .never: false
        case .unlessOff(let name): variables[name] != false
        case .onlyIfOn(let name): variables[name] == true
        case .ifEqual(let name, let text): variables[name] == .string(text)
        case .unlessBothAreOff:
            [variables["thinking"], variables["enable_thinking"]].allSatisfy { $0?.isNull ?? true }
                || variables["thinking"] == true || variables["enable_thinking"] == true
        case .ifEffortIsGiven:
            variables["reasoning_effort"].map { !$0.isNull && $0 != "none" && $0 != "no_think" } ?? false
        }
    }
}
