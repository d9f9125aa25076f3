private import JSON

/// A template that `--chat-template` knows by name, with the texts that end an answer.
package struct BuiltinTemplate: Equatable, Sendable {
    package let name: String
    /// Jinja, as any other template.
    package let source: String
    /// Texts at which generation stops, beside those of the request.
    package let stops: [String]

    /// The template of a name; nil for a name that is none of ours.
    package static func named(_ name: String) -> BuiltinTemplate? {
        TurnStyle.all[name].map { BuiltinTemplate(name: name, source: $0.source, stops: $0.stops) }
    }

    /// All names, sorted.
    package static var names: [String] { TurnStyle.all.keys.sorted() }
}

/// What stands around the turns of a conversation.
private struct TurnStyle: Sendable {
    /// The system message where a conversation has none.
    var system = ""
    var aroundSystem: (open: String, close: String)
    /// What a conversation without a system message begins with; nil where an empty one is written too.
    var withoutSystem: String?
    var user: (open: String, close: String)
    var assistant: (open: String, close: String)
    /// What opens an answer that is to be generated, where that is not what opens a given one.
    var prompt: String?
    /// Whether the first turn stands in what the system message opened.
    var joinsFirst = false
    var trims = false
    var stops: [String]

    /// Jinja that writes such turns. An empty turn is not closed.
    var source: String {
        let text = { (value: String) in JSON.encodeToString(.string(value)) }
        let content = trims ? "message.content | trim" : "message.content"
        let systemTurn = "\(text(aroundSystem.open)) ~ ns.system ~ \(text(aroundSystem.close))"
        let begin = withoutSystem.map { "\(systemTurn) if ns.system else \(text($0))" } ?? systemTurn
        let opening = "\(text(user.open)) if message.role == 'user' else \(text(assistant.open))"
        return """
            {%- set ns = namespace(system=\(text(system)), first=\(joinsFirst)) -%}
            {%- for message in messages if message.role in ['system', 'developer'] -%}
                {%- set ns.system = message.content -%}
            {%- endfor -%}
            {{- \(begin) -}}
            {%- for message in messages if message.role not in ['system', 'developer'] -%}
                {{- '' if ns.first else (\(opening)) -}}
                {%- set ns.first = false -%}
                {%- if message.content -%}
                    {{- (\(content)) ~ (\(text(user.close)) if message.role == 'user' else \(text(assistant.close))) -}}
                {%- endif -%}
            {%- endfor -%}
            {%- if add_generation_prompt -%}{{- \(text(prompt ?? assistant.open)) -}}{%- endif -%}
            """
    }

    /// ChatML with a default system message.
    private static func chatML(_ system: String, stops: [String]) -> TurnStyle {
        TurnStyle(
            system: system, aroundSystem: ("<|im_start|>system\n", "<|im_end|>\n"),
            user: ("<|im_start|>user\n", "<|im_end|>\n"), assistant: ("<|im_start|>assistant\n", "<|im_end|>\n"),
            stops: stops)
    }

    /// Instructions in brackets, as Llama 2 has them.
    private static func bracketed(_ system: (open: String, close: String), stops: [String]) -> TurnStyle {
        TurnStyle(
            aroundSystem: system, withoutSystem: "[INST] ", user: ("[INST] ", " "),
            assistant: ("[/INST] ", " </s><s>"), prompt: "[/INST]", joinsFirst: true,
            stops: ["[INST]", "[/INST]"] + stops)
    }

    /// Headers by name, as Llama 3 and 4 have them.
    private static func headed(_ system: String, _ header: String, end: String, stops: [String]) -> TurnStyle {
        let open = { (role: String) in "<|start_\(header)|>\(role)<|end_\(header)|>\n\n" }
        return TurnStyle(
            system: system, aroundSystem: (open("system"), end), withoutSystem: "", user: (open("user"), end),
            assistant: (open("assistant"), end), trims: true, stops: stops)
    }

    private static let vision =
        "You are a helpful language and vision assistant. You are able to understand the visual content that the user "
        + "provides, and assist the user with a variety of tasks using natural language."

    static let all: [String: TurnStyle] = [
        "chatml": chatML("You are a helpful assistant.", stops: ["<|endoftext|>", "<|im_end|>"]),
        "chatml-llava": chatML("You are a helpful assistant.", stops: ["<|endoftext|>", "<|im_end|>"]),
        "qwen2-vl": chatML("You are a helpful assistant.", stops: ["<|im_end|>"]),
        "minicpmo": chatML(
            "You are Qwen, created by Alibaba Cloud. You are a helpful assistant.",
            stops: ["<|im_end|>", "<|endoftext|>"]),
        "llama-2": bracketed(("[INST] <<SYS>>\n", "\n<</SYS>>\n\n"), stops: ["<<SYS>>", "<</SYS>>"]),
        "mistral": bracketed(
            ("[SYSTEM_PROMPT]\n", "\n[/SYSTEM_PROMPT]\n\n"), stops: ["[SYSTEM_PROMPT]", "[/SYSTEM_PROMPT]"]),
        "llama_3_vision": headed(vision, "header_id", end: "<|eot_id|>", stops: ["<|end_of_text|>", "<|eot_id|>"]),
        "llava_llama_3": headed(vision, "header_id", end: "<|eot_id|>", stops: ["<|end_of_text|>", "<|eot_id|>"]),
        "vicuna_v1.1": TurnStyle(
            system: "A chat between a curious user and an artificial intelligence assistant. "
                + "The assistant gives helpful, detailed, and polite answers to the user's questions.",
            aroundSystem: ("", " "), user: ("USER: ", " "), assistant: ("ASSISTANT: ", "</s>"), prompt: "ASSISTANT:",
            stops: []),
        "gemma-it": TurnStyle(
            system: "You are a helpful assistant.", aroundSystem: ("<start_of_turn>user\n", "\n\n"),
            user: ("<start_of_turn>user\n", "<end_of_turn>\n"),
            assistant: ("<start_of_turn>model\n", "<end_of_turn>\n"),
            joinsFirst: true, stops: ["<end_of_turn>"]),
        "phi-4-mm": TurnStyle(
            aroundSystem: ("", ""), user: ("<|user|>", "<|end|>"), assistant: ("<|assistant|>", "<|end|>"),
            stops: ["<|end|>"]),
    ]
}
