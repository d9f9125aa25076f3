/// What one name of `--tool-call-parser` stands for.
struct ToolCallFamily: Sendable {
    /// The parser for a request's tools.
    let format: @Sendable (ToolTable) -> any ToolCallFormat

    /// Every family by its name.
    static let all: [String: ToolCallFamily] = {
        var families = json.merging(blocks) { first, _ in first }
        for (name, same) in [
            "glm": "glm45", "nanbeige": "qwen3_coder", "qwen25": "qwen", "step3p5": "qwen3_coder",
        ] { families[name] = families[same] }
        return families
    }()

    private static let json: [String: ToolCallFamily] = [
        "deepseekv3": headed(
            .init(
                section: "<｜tool▁calls▁begin｜>", open: "<｜tool▁call▁begin｜>", separator: "\n```json\n",
                tail: "\n```", close: "<｜tool▁call▁end｜>", name: { $0.split(atLast: "<｜tool▁sep｜>")?.after })),
        "deepseekv31": headed(
            .init(
                section: "<｜tool▁calls▁begin｜>", open: "<｜tool▁call▁begin｜>", separator: "<｜tool▁sep｜>", tail: "",
                close: "<｜tool▁call▁end｜>", name: { $0 })),
        "gpt-oss": ToolCallFamily { HarmonyCalls($0) },
        "hermes": tagged(.init(open: "<tool_call>", close: "</tool_call>", isLenient: true)),
        "interns1": tagged(
            .init(open: "<|action_start|> <|plugin|>", close: "<|action_end|>", isLenient: false, needsClose: true)),
        "kimi_k2": ToolCallFamily { KimiCalls($0) },
        "llama3": ToolCallFamily { LlamaCalls($0) },
        "mistral": ToolCallFamily { MistralCalls($0) },
        "pythonic": ToolCallFamily { PythonicCalls($0) },
        "qwen": tagged(qwen),
        "qwen3_coder": ToolCallFamily { CoderCalls($0) },
        "trinity": ToolCallFamily { FilteredCalls(TaggedJSONCalls(qwen, $0), without: ["<think>", "</think>"]) },
    ]

    private static let qwen = TaggedJSONCalls.Style(open: "<tool_call>\n", close: "\n</tool_call>", isLenient: false)

    private static func headed(_ style: HeadedJSONCalls.Style) -> ToolCallFamily {
        ToolCallFamily { HeadedJSONCalls(style, $0) }
    }

    private static func tagged(_ style: TaggedJSONCalls.Style) -> ToolCallFamily {
        ToolCallFamily { TaggedJSONCalls(style, $0) }
    }

    private static let blocks: [String: ToolCallFamily] = [
        "apertus2509": blocks(
            .init(
                open: "<|tools_prefix|>[", close: "<|tools_suffix|>", textBehind: .text, unclosed: .text, broken: .text,
                trims: true, hasOrdinals: true, read: ListedCalls.apertus)),
        "cohere_command4": blocks(
            .init(
                open: "<|START_ACTION|>", close: "<|END_ACTION|>", hasSeveral: false, readsUnclosed: true,
                read: ListedCalls.cohere)),
        "deepseekv32": blocks(
            .init(
                open: "<｜DSML｜function_calls>", close: "</｜DSML｜function_calls>", lead: "\n\n",
                read: InvokeTags.Marked(language: "DSML", isDeepSeek: true).calls)),
        "dots": blocks(
            .init(
                open: "<dots_function_call>", close: "</dots_function_call>", trims: true, read: InvokeTags.dots)),
        "gemma4": blocks(
            .init(
                open: GemmaCalls.open, close: GemmaCalls.close, textBehind: .textWithoutCalls,
                unclosed: .textWithoutCalls, broken: .textWithoutCalls, finishing: GemmaCalls.finish,
                read: GemmaCalls.calls)),
        "gigachat35": blocks(
            .init(
                section: "<｜GCML｜tool_calls>", open: "<｜GCML｜invoke", close: "</｜GCML｜invoke>",
                endOfSection: "</｜GCML｜tool_calls>", behindSection: .dropped, unclosed: .text,
                finishing: InvokeTags.finishGigaChat, read: InvokeTags.gigachat)),
        "glm45": blocks(.init(open: "<tool_call>", close: "</tool_call>", trims: true, read: ArgumentPairs.glm45)),
        "glm47": blocks(
            .init(
                open: "<tool_call>", close: "</tool_call>", textBehind: .text, unclosed: .text, trims: true,
                read: ArgumentPairs.glm47)),
        "hunyuan": blocks(
            .init(
                section: "<tool_calls>", open: "<tool_call>", close: "</tool_call>", trims: true,
                read: ArgumentPairs.hunyuan)),
        "iquest_q1": blocks(
            .init(
                open: "<iquest_tool_call>", close: "</iquest_tool_call>", textBehind: .text, unclosed: .text,
                broken: .text, hasOrdinals: true, read: ArgumentPairs.iquest)),
        "kimi_k3": blocks(
            .init(
                section: KimiChannel.tools.open, open: "<|open|>call", close: KimiChannel.call.close,
                endOfSection: KimiChannel.tools.close, behindSection: .dropped, hasOrdinals: true,
                wrappers: KimiChannel.wrappers, read: ChannelCalls.kimi)),
        "lfm2": blocks(
            .init(open: "<|tool_call_start|>", close: "<|tool_call_end|>", trims: true, read: ListedCalls.lfm2)),
        "ling3": blocks(.init(open: "<tool_call>", close: "</tool_call>", trims: true, read: ArgumentPairs.ling3)),
        "mimo": blocks(.init(open: "<tool_call>", close: "</tool_call>", broken: .text, read: InvokeTags.mimo)),
        "minicpm5": blocks(
            .init(
                open: "<function", close: "</function>", textBehind: .text, unclosed: .text, broken: .text,
                read: FunctionTags.minicpm)),
        "minimax-m2": blocks(
            .init(
                open: "<minimax:tool_call>", close: "</minimax:tool_call>", textBehind: .text, unclosed: .text,
                read: InvokeTags.minimax)),
        "poolside_v1": blocks(.init(open: "<tool_call>", close: "</tool_call>", read: ArgumentPairs.poolside)),
        "step3": blocks(
            .init(
                section: "<｜tool_calls_begin｜>", open: "<｜tool_call_begin｜>", close: "<｜tool_call_end｜>",
                endOfSection: "<｜tool_calls_end｜>", unclosed: .text, read: InvokeTags.step3)),
    ]

    private static func blocks(_ style: BlockCalls.Style) -> ToolCallFamily {
        ToolCallFamily { BlockCalls(style, $0) }
    }
}
