/// What one name of `--tool-call-parser` stands for.
struct ToolCallFamily: Sendable {
    /// The parser for a request's tools.
    let format: @Sendable (ToolTable) -> any ToolCallFormat

    /// Every family by its name.
    static let all: [String: ToolCallFamily] = [
        "hermes": tagged(.init(open: "<tool_call>", close: "</tool_call>", isLenient: true)),
        "qwen": qwen,
        "qwen25": qwen,
    ]

    private static let qwen = tagged(.init(open: "<tool_call>\n", close: "\n</tool_call>", isLenient: false))

    private static func tagged(_ style: TaggedJSONCalls.Style) -> ToolCallFamily {
        ToolCallFamily { TaggedJSONCalls(style, $0) }
    }
}
