internal import JSON
internal import OutputParsers

/// What answers have to be where a client demands calls of tools, or has strict ones: the calls in the model's own format where it has
/// one that can be written down, and a JSON list of them elsewhere.
struct CallConstraint {
    /// The key of the sampling parameters.
    let key: String
    /// The grammar.
    let text: String

    /// The constraint of a chat; nil: none.
    ///
    /// - Parameter format: the format of calls; nil: calls are not looked for.
    init?(_ tools: ChatTools, format: String?) {
        let isOwn = format.map { ToolCallParser.structure(of: $0, tool: "") != nil } ?? false
        if tools.isForced {
            self = isOwn ? Self.calls(tools, format!) : Self.list(tools)
        } else if isOwn, tools.isActive, tools.definitions.contains(where: \.isStrict) {
            self = Self.strict(tools, format!)
        } else {
            return nil
        }
    }

    private init(key: String, text: JSONValue) {
        self.key = key
        self.text = JSON.encodeToString(text)
    }

    /// What stands between two calls, for formats in which several may follow each other.
    private static let separators = [
        "qwen": "\n", "qwen25": "\n", "trinity": "\n", "hermes": "\n", "interns1": "\n", "llama3": ";",
    ]

    /// One call or more and nothing else.
    private static func calls(_ tools: ChatTools, _ format: String) -> CallConstraint {
        let separator = separators[format]
        return CallConstraint(
            key: "structural_tag",
            text: [
                "type": "structural_tag",
                "format": [
                    "type": "tags_with_separator", "at_least_one": true, "separator": .string(separator ?? ""),
                    "stop_after_first": .bool(separator == nil || !tools.allowsSeveral), "tags": tags(tools, format),
                ],
            ])
    }

    /// Free text in which calls keep to their tools.
    private static func strict(_ tools: ChatTools, _ format: String) -> CallConstraint {
        var triggers: [JSONValue] = []
        for tool in tools.definitions {
            guard let trigger = ToolCallParser.structure(of: format, tool: tool.name)?.trigger else { continue }
            if !triggers.contains(.string(trigger)) { triggers.append(.string(trigger)) }
        }
        return CallConstraint(
            key: "structural_tag",
            text: [
                "type": "structural_tag",
                "format": ["type": "triggered_tags", "triggers": .array(triggers), "tags": tags(tools, format)],
            ])
    }

    private static func tags(_ tools: ChatTools, _ format: String) -> JSONValue {
        .array(
            tools.definitions.compactMap { tool in
                guard let structure = ToolCallParser.structure(of: format, tool: tool.name) else { return nil }
                // Where nobody is forced, only strict tools bind their arguments.
                let binds = tools.isForced || tool.isStrict
                return [
                    "type": "tag", "begin": .string(structure.begin), "end": .string(structure.end),
                    "content": [
                        "type": "json_schema", "json_schema": binds ? parameters(tool) : ["type": "object"],
                    ],
                ]
            })
    }

    private static func parameters(_ tool: ToolDefinition) -> JSONValue { tool.parameters ?? ["type": "object"] }

    /// `[{"name": …, "parameters": …}, …]`
    private static func list(_ tools: ChatTools) -> CallConstraint {
        var calls: [JSONValue] = []
        for (place, tool) in tools.definitions.enumerated() {
            // References in a tool's schema mean that schema, not the list around it.
            var schema = parameters(tool)
            if case .object(var object) = schema, object["$id"] == nil {
                object["$id"] = .string("tool:\(place)")
                schema = .object(object)
            }
            calls.append([
                "type": "object", "additionalProperties": false, "required": ["name", "parameters"],
                "properties": ["name": ["const": .string(tool.name)], "parameters": schema],
            ])
        }
        var list: JSONObject = ["type": "array", "minItems": 1, "items": ["anyOf": .array(calls)]]
        if !tools.allowsSeveral { list["maxItems"] = 1 }
        return CallConstraint(key: "json_schema", text: .object(list))
    }
}

extension ChatTools {
    /// Answers must be calls.
    var isForced: Bool {
        switch choice {
        case .none, .auto: false
        case .required, .named: true
        }
    }

    /// A forced answer may hold more than one call.
    fileprivate var allowsSeveral: Bool { choice == .required && isParallel }
}
