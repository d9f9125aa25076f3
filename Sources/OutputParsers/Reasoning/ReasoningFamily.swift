/// What one name of `--reasoning-parser` stands for.
struct ReasoningFamily: Sendable {
    /// The parser for what a request says.
    let format: @Sendable (ReasoningOptions) -> any ReasoningFormat

    /// Every family by its name.
    static let all: [String: ReasoningFamily] = [
        "deepseek-r1": .always(think),
        "qwen3": .unless(thinkOrCall),
        "qwen3-thinking": .always(thinkOrCall),
    ]

    private static let think = TaggedReasoning.Markers(start: "<think>", end: "</think>")
    private static let thinkOrCall = TaggedReasoning.Markers(start: "<think>", end: "</think>", tool: "<tool_call>")

    /// An answer that always begins inside the thinking part, whatever the request says.
    private static func always(_ markers: TaggedReasoning.Markers) -> ReasoningFamily {
        ReasoningFamily { TaggedReasoning(markers, forced: true, $0) }
    }

    /// An answer that begins inside the thinking part where the request says so.
    private static func unless(_ markers: TaggedReasoning.Markers) -> ReasoningFamily {
        ReasoningFamily { TaggedReasoning(markers, forced: $0.isForced ?? false, $0) }
    }
}
