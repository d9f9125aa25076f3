package import ChatTemplates
package import JSON
internal import Values

/// What a chat template shows of thinking: whether its prompts open the thinking part, and what decides on it.
package enum TemplateThinking: Sendable, Equatable {
    /// Every prompt does.
    case always
    /// Prompts do where a request says how hard to think.
    case withEffort
    /// A variable decides; what holds where a request does not set it.
    case toggle(String, isOn: Bool)
    /// Nothing that could be recognised.
    case unknown

    /// Looks at a template.
    package init(_ template: ChatTemplate) {
        let source = template.source
        let holds = { (text: String) in source.utf8.elements.holds(bytes: Array(text.utf8)) }
        let toggle = Self.toggles.first { name, signs in signs.contains(where: holds) }?.name
        let opensThoughts = ["\\n", "\n"].contains { holds("<|im_start|>assistant\($0)<think>\($0)") }
        if toggle == nil, opensThoughts || holds("<|channel|>") {
            self = .always
        } else if holds("[THINK]"), holds("reasoning_effort") {
            self = .withEffort
        } else if let toggle {
            self = .toggle(toggle, isOn: Self.isOn(toggle, template, holds))
        } else {
            self = .unknown
        }
    }

    /// Whether the answer to a request begins inside the thinking part; nil: the template does not show it.
    ///
    /// - Parameter variables: those that the template gets.
    package func isForced(_ variables: JSONObject) -> Bool? {
        switch self {
        case .always: true
        case .withEffort: variables["reasoning_effort"].map { $0 != "none" && !$0.isNull } ?? false
        case .toggle(let name, isOn: true): variables[name] != false
        case .toggle(let name, isOn: false): variables[name] == true
        case .unknown: nil
        }
    }

    /// Variables that templates think by, and what shows that a template reads them.
    private static let toggles: [(name: String, signs: [String])] = [
        ("enable_thinking", ["enable_thinking"]),
        ("thinking", ["if thinking", "not thinking", "thinking is", "thinking ==", "and thinking", "or thinking"]),
    ]

    /// Whether thinking is on where a request does not say: by how the template asks, or else by what it renders.
    private static func isOn(_ name: String, _ template: ChatTemplate, _ holds: (String) -> Bool) -> Bool {
        let signs = [
            "\(name) is false", "\(name) == false", "\(name) == False", "\(name) is not defined or",
            "not \(name) is defined or", "\(name) is defined and not \(name)", "\(name) | default(true)",
            "\(name)|default(true)", "\(name) | default(True)",
        ]
        if signs.contains(where: holds) { return true }
        let prompt = { (value: JSONValue?) in
            let variables = value.map { JSONObject([(name, $0)]) } ?? [:]
            return try? ChatPrompt(messages: [["role": "user", "content": "?"]], variables: variables).text(
                with: template, at: CalendarTime(utc: 0))
        }
        let plain = prompt(nil)
        return plain != nil && plain == prompt(true) && plain != prompt(false)
    }
}

extension String.UTF8View {
    /// The bytes as a list.
    fileprivate var elements: [UInt8] { Array(self) }
}
