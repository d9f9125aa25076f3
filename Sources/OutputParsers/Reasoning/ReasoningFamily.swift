/// What one name of `--reasoning-parser` stands for.
struct ReasoningFamily: Sendable {
    /// When a request's answer begins inside the thinking part, where its chat template does not show it.
    let rule: ThinkingRule
    /// What stands around the thinking part, where that can be said.
    var markers: TaggedReasoning.Markers?
    /// The answer opens it, even where the parser takes it for open.
    var opensItself = false
    /// Behind its thoughts and this the answer begins; nil: right behind its thoughts.
    var answer: String?
    /// The parser for what a request says.
    let format: @Sendable (ReasoningOptions) -> any ReasoningFormat

    /// Every family by its name.
    static let all: [String: ReasoningFamily] = {
        var families = ownFormats
        for name in ["deepseek-r1", "gigachat35", "step3", "step3p5"] { families[name] = always(think) }
        for name in ["minimax", "qwen3-thinking"] { families[name] = always(thinkOrCall) }
        for name in ["dots", "glm45", "interns1", "nanbeige", "nemotron_3", "qwen3"] {
            families[name] = asked(thinkOrCall, .unlessOff("enable_thinking"))
        }
        for name in ["mimo", "poolside_v1"] { families[name] = asked(thinkOrCall, .onlyIfOn("enable_thinking")) }
        for name in ["deepseek-v4", "deepseek-v41"] { families[name] = asked(think, .onlyIfOn("thinking")) }
        return families
    }()

    private static let ownFormats: [String: ReasoningFamily] = [
        "apertus2509": ReasoningFamily(
            rule: .never, markers: .init(start: "<|inner_prefix|>", end: "<|inner_suffix|>", tool: "<|tools_prefix|>[")
        ) { ApertusReasoning($0) },
        "cohere_command4": ReasoningFamily(
            rule: .always, markers: .init(start: "<|START_THINKING|>", end: "<|END_THINKING|>")
        ) { CohereReasoning($0) },
        "deepseek-v3": asked(thinkOrCall, .onlyIfOn("thinking")),
        "gemma4": asked(
            .init(start: "<|channel>thought\n", end: "<channel|>", sign: "<|channel>"), .onlyIfOn("enable_thinking")),
        "gpt-oss": ReasoningFamily(
            rule: .always, markers: .init(start: "<|channel|>analysis<|message|>", end: "<|end|>"), opensItself: true,
            answer: "<|channel|>final<|message|>"
        ) { HarmonyReasoning($0) },
        "granite_thinking_parser": ReasoningFamily(rule: .unlessOff("enable_thinking"), markers: thinkOrCall) {
            GraniteReasoning(thinkOrCall, $0)
        },
        "hunyuan": asked(.init(start: "<think>", end: "</think>", tool: "<tool_calls>"), .ifEffortIsGiven),
        "iquest_q1": ReasoningFamily(rule: .unlessBothAreOff, markers: think) {
            TaggedReasoning(think, forced: $0.isForced ?? true, $0)
        },
        "k2_horizon": ReasoningFamily(rule: .always) {
            TaggedReasoning(horizon($0.effort ?? "high"), forced: true, $0)
        },
        "kimi": ReasoningFamily(rule: .never, markers: kimi) { TaggedReasoning(kimi, forced: false, $0) },
        "kimi_k2": asked(
            .init(start: "<think>", end: "</think>", tool: "<|tool_calls_section_begin|>"), .unlessOff("thinking")),
        "kimi_k3": ReasoningFamily(
            rule: .unlessOff("thinking"),
            markers: .init(
                start: KimiChannel.think.open, end: KimiChannel.think.close, tool: KimiChannel.tools.open),
            answer: KimiChannel.response.open
        ) { KimiReasoning($0) },
        "ling3": ReasoningFamily(rule: .unlessOff("enable_thinking"), markers: thinkOrCall) {
            LingReasoning(thinkOrCall, $0)
        },
        "minimax-append-think": ReasoningFamily(rule: .never) { _ in OpenedReasoning(start: "<think>") },
        "minimax-m3": ReasoningFamily(rule: .ifEqual("thinking_mode", "enabled"), markers: minimax) {
            StrayEndReasoning(minimax, $0)
        },
        "mistral": asked(.init(start: "[THINK]", end: "[/THINK]"), .ifEffortIsGiven),
    ]

    private static let kimi = TaggedReasoning.Markers(start: "◁think▷", end: "◁/think▷")
    private static let minimax = TaggedReasoning.Markers(start: "<mm:think>", end: "</mm:think>")
    private static let think = TaggedReasoning.Markers(start: "<think>", end: "</think>")
    private static let thinkOrCall = TaggedReasoning.Markers(start: "<think>", end: "</think>", tool: "<tool_call>")

    /// An answer that always begins inside the thinking part, whatever the request says.
    private static func always(_ markers: TaggedReasoning.Markers) -> ReasoningFamily {
        ReasoningFamily(rule: .always, markers: markers) { TaggedReasoning(markers, forced: true, $0) }
    }

    /// An answer that begins inside the thinking part where the request says so.
    private static func asked(_ markers: TaggedReasoning.Markers, _ rule: ThinkingRule) -> ReasoningFamily {
        ReasoningFamily(rule: rule, markers: markers) { TaggedReasoning(markers, forced: $0.isForced ?? false, $0) }
    }

    /// K2 Horizon's markers for an effort; one that it does not know is its middle one.
    static func horizon(_ effort: String) -> TaggedReasoning.Markers {
        let name = ["high": "think", "low": "think_faster"][effort] ?? "think_fast"
        return .init(start: "<ifm|\(name)>", end: "</ifm|\(name)>", tool: "<ifm|tool_call")
    }
}
