/// What stands around the arguments of a call in a format's own way of writing it, for grammars that force a call.
package struct CallStructure: Sendable, Equatable {
    /// What stands in front of the arguments, with the tool's name.
    package let begin: String
    /// What stands behind them.
    package let end: String
    /// What shows that a call begins.
    package let trigger: String
}

extension ToolCallParser {
    /// How the format of a name writes a call of a tool; nil where it has no such form, and a forced call is a JSON list:
    /// `[{"name": …, "parameters": …}, …]`, which `list(tools:)` reads.
    package static func structure(of name: String, tool: String) -> CallStructure? {
        switch name {
        case "qwen", "qwen25", "trinity":
            CallStructure(
                begin: "<tool_call>\n{\"name\":\"\(tool)\", \"arguments\":", end: "}\n</tool_call>",
                trigger: "<tool_call>")
        case "hermes":
            CallStructure(
                begin: "<tool_call>{\"name\":\"\(tool)\", \"arguments\":", end: "}</tool_call>", trigger: "<tool_call>")
        case "llama3":
            CallStructure(
                begin: "<|python_tag|>{\"name\":\"\(tool)\", \"arguments\":", end: "}", trigger: "<|python_tag|>")
        case "mistral":
            CallStructure(
                begin: "[TOOL_CALLS] [{\"name\":\"\(tool)\", \"arguments\":", end: "}]", trigger: "[TOOL_CALLS]")
        case "deepseekv3":
            CallStructure(
                begin: "<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>function<｜tool▁sep｜>\(tool)\n```json\n",
                end: "\n```<｜tool▁call▁end｜><｜tool▁calls▁end｜>", trigger: "<｜tool▁calls▁begin｜>")
        case "deepseekv31":
            CallStructure(
                begin: "<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>\(tool)<｜tool▁sep｜>",
                end: "<｜tool▁call▁end｜><｜tool▁calls▁end｜>", trigger: "<｜tool▁calls▁begin｜>")
        case "kimi_k2":
            CallStructure(
                begin: "<|tool_calls_section_begin|><|tool_call_begin|>functions.\(tool):0<|tool_call_argument_begin|>",
                end: "<|tool_call_end|><|tool_calls_section_end|>", trigger: "<|tool_calls_section_begin|>")
        case "interns1":
            CallStructure(
                begin: "<|action_start|> <|plugin|>\n{\"name\":\"\(tool)\", \"parameters\":", end: "}<|action_end|>",
                trigger: "<|action_start|> <|plugin|>")
        case "gpt-oss":
            CallStructure(
                begin: "<|channel|>commentary to=functions.\(tool) <|constrain|>json<|message|>", end: "<|call|>",
                trigger: "<|channel|>commentary to=")
        default: nil
        }
    }

    /// The parser of forced calls written as a JSON list.
    package static func list(tools: [ToolDefinition]) -> ToolCallParser {
        ToolCallParser(name: "", format: ForcedCalls(ToolTable(tools)))
    }
}
