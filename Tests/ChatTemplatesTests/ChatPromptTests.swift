import ChatTemplates
import JSON
import Testing
import Values

@Suite struct ChatPromptTests {
    /// Writes every message as `role:content;`, and `assistant:` where an answer is opened.
    private static let plain =
        "{% for message in messages %}{{ message.role }}:{{ message.content }};{% endfor %}"
        + "{% if add_generation_prompt %}assistant:{% endif %}"

    private func text(_ prompt: ChatPrompt, _ source: String = plain) throws -> String {
        try prompt.text(with: try ChatTemplate(source), at: someTime)
    }

    private func failure(_ prompt: ChatPrompt, _ source: String = plain) -> TemplateError? {
        #expect(throws: TemplateError.self) { try text(prompt, source) }
    }

    @Test func rolesAreReadWithoutCaseAndNullContentIsEmpty() throws {
        let prompt = ChatPrompt(messages: [
            ["role": "SYSTEM", "content": "s"], ["role": "user", "content": nil], ["role": "Tool"],
        ])
        #expect(try text(prompt) == "system:s;user:;tool:;assistant:")
    }

    @Test func textPartsBecomeOneTextWhereTheTemplateReadsNoParts() throws {
        let parts: JSONValue = [
            ["type": "text", "text": "a"], ["type": "thinking", "thinking": "x"], ["type": "text", "text": "b"],
        ]
        let prompt = ChatPrompt(messages: [["role": "user", "content": parts], ["role": "tool", "content": parts]])
        #expect(try text(prompt) == "user:a b;tool:a b;assistant:")
        let reading =
            "{% for m in messages %}{% if m.content is string %}{{ m.content }}{% else %}"
            + "{% for part in m.content %}<{{ part.text }}>{% endfor %}{% endif %}{% endfor %}"
        #expect(try ChatTemplate(reading).readsContentParts)
        #expect(try text(prompt, reading) == "<a><b>a b")
    }

    @Test(arguments: [
        ("{% for part in message['content'] | list %}{% endfor %}", true),
        ("{% if x %}{% for part in msg.content[1:] %}{% endfor %}{% endif %}", true),
        ("{% macro f(m) %}{% for part in m.content %}{% endfor %}{% endmacro %}", true),
        ("{{ 'vision' }}", true),
        ("{% for part in other.content %}{% endfor %}", false),
        ("{% for part in message.contents %}{% endfor %}", false),
    ])
    func whetherPartsAreReadIsToldFromTheLoops(_ source: String, _ expected: Bool) throws {
        #expect(try ChatTemplate(source).readsContentParts == expected)
    }

    @Test func partsThatAreNoTextAreRefusedByTheirType() {
        let prompt = ChatPrompt(messages: [
            ["role": "user", "content": [["type": "image_url", "image_url": ["url": "x"]]]]
        ])
        let error = failure(prompt)
        #expect(error?.kind == .conversation)
        #expect(error?.description == "Model only supports text input; received unsupported content type 'image_url'.")
    }

    @Test func argumentsOfCallsAreRenderedAsObjectsInTheirOrder() throws {
        let source =
            "{% for m in messages %}{% for c in m.tool_calls %}{{ c.function.arguments | tojson }}{% endfor %}{% endfor %}"
        let call: JSONValue = [
            "id": "1", "type": "function", "function": ["name": "f", "arguments": #"{"b": 1, "a": [2.0]}"#],
        ]
        let prompt = ChatPrompt(messages: [
            ["role": "assistant", "content": nil, "tool_calls": [call]], ["role": "user", "content": ""],
        ])
        #expect(try text(prompt, source) == #"{"b": 1, "a": [2.0]}"#)
    }

    @Test(arguments: [
        ("{", "Assistant tool call function.arguments must be valid JSON."),
        ("[1]", "Assistant tool call function.arguments must be a JSON object."),
    ])
    func argumentsThatAreNoObjectAreRefused(_ arguments: String, _ message: String) {
        let call: JSONValue = ["function": ["name": "f", "arguments": .string(arguments)]]
        let prompt = ChatPrompt(messages: [
            ["role": "assistant", "tool_calls": [call]], ["role": "user", "content": ""],
        ])
        #expect(failure(prompt)?.description == message)
    }

    @Test func aLastMessageOfTheAssistantIsAnsweredContinuedOrLeft() throws {
        let messages: [JSONValue] = [["role": "user", "content": "q"], ["role": "assistant", "content": "One, "]]
        #expect(try text(ChatPrompt(messages: messages)) == "user:q;user:One, ;assistant:")
        #expect(try text(ChatPrompt(messages: messages, ending: .continuation)) == "user:q;assistant:One, ")
        #expect(
            try text(ChatPrompt(messages: messages, ending: .verbatim(addsGenerationPrompt: false)))
                == "user:q;assistant:One, ;")
    }

    @Test func toolsAreGivenAsTheyCameAndBareWhereTheTemplateCannotTakeThem() throws {
        let tools: [JSONValue] = [["type": "function", "function": ["name": "f"]]]
        let prompt = ChatPrompt(messages: [["role": "user", "content": ""]], tools: tools)
        #expect(try text(prompt, "{{ tools | tojson }}") == #"[{"type": "function", "function": {"name": "f"}}]"#)
        let bare = "{% for t in tools %}{% if t.type %}{{ raise_exception('no') }}{% endif %}{{ t.name }}{% endfor %}"
        #expect(try text(prompt, bare) == "f")
        #expect(try text(ChatPrompt(messages: prompt.messages, tools: []), "{{ tools }}") == "None")
    }

    @Test func variablesReachTheTemplate() throws {
        let prompt = ChatPrompt(messages: [], variables: ["enable_thinking": false, "bos_token": "<s>"])
        #expect(try text(prompt, "{{ bos_token }}{{ enable_thinking is false }}{{ messages }}") == "<s>True[]")
    }
}

@Suite struct TemplateSetTests {
    private func picked(_ sources: TemplateSources, _ name: String? = nil, hasTools: Bool = false) throws -> String {
        try TemplateSet(sources, choosing: name).template(hasTools: hasTools).source
    }

    @Test func sourcesGoBeforeEachOther() throws {
        var sources = TemplateSources()
        #expect(throws: TemplateError.self) { try picked(sources) }
        sources.gguf = "gguf"
        #expect(try picked(sources) == "gguf")
        sources.json = ["chat_template": "json"]
        #expect(try picked(sources) == "json")
        sources.tokenizerConfig = "config"
        #expect(try picked(sources) == "config")
        sources.file = "file"
        #expect(try picked(sources) == "file")
        sources.override = "flag"
        #expect(try picked(sources) == "flag")
    }

    @Test func oneOfSeveralIsPickedByNameOrByTools() throws {
        var sources = TemplateSources()
        sources.tokenizerConfig = [
            ["name": "default", "template": "d"], ["name": "tool_use", "template": "t"],
            ["name": "rag", "template": "{% bad %}"],
        ]
        #expect(try picked(sources) == "d")
        #expect(try picked(sources, hasTools: true) == "t")
        #expect(try picked(sources, "tool_use") == "t")
        #expect(throws: TemplateError(.syntax, line: 1, "unknown tag 'bad'")) { try picked(sources, "rag") }
        let error = #expect(throws: TemplateError.self) { try picked(sources, "none") }
        #expect(error?.description == "There is no chat template 'none'; there are: default, tool_use, rag.")
    }

    @Test func withoutADefaultOnlyOneIsClear() throws {
        var sources = TemplateSources()
        sources.furtherFiles = [("rag", "r")]
        #expect(try picked(sources) == "r")
        sources.furtherFiles.append(("chat", "c"))
        let error = #expect(throws: TemplateError.self) { try picked(sources) }
        #expect(error?.reason.contains("rag, chat") == true)
    }
}

@Suite struct BuiltinTemplateTests {
    private static let turns: [JSONValue] = [
        ["role": "user", "content": "a"], ["role": "assistant", "content": " b "], ["role": "user", "content": "c"],
    ]

    @Test(arguments: [
        (
            "chatml", "s",
            "<|im_start|>system\ns<|im_end|>\n<|im_start|>user\na<|im_end|>\n<|im_start|>assistant\n b <|im_end|>\n"
                + "<|im_start|>user\nc<|im_end|>\n<|im_start|>assistant\n"
        ),
        ("llama-2", "s", "[INST] <<SYS>>\ns\n<</SYS>>\n\na [/INST]  b  </s><s>[INST] c [/INST]"),
        ("llama-2", nil, "[INST] a [/INST]  b  </s><s>[INST] c [/INST]"),
        ("mistral", "s", "[SYSTEM_PROMPT]\ns\n[/SYSTEM_PROMPT]\n\na [/INST]  b  </s><s>[INST] c [/INST]"),
        (
            "gemma-it", "s",
            "<start_of_turn>user\ns\n\na<end_of_turn>\n<start_of_turn>model\n b <end_of_turn>\n<start_of_turn>user\n"
                + "c<end_of_turn>\n<start_of_turn>model\n"
        ),
        ("vicuna_v1.1", "s", "s USER: a ASSISTANT:  b </s>USER: c ASSISTANT:"),
        (
            "llama_3_vision", "s",
            "<|start_header_id|>system<|end_header_id|>\n\ns<|eot_id|><|start_header_id|>user<|end_header_id|>\n\na"
                + "<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\nb<|eot_id|><|start_header_id|>user"
                + "<|end_header_id|>\n\nc<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n"
        ),
        ("phi-4-mm", nil, "<|user|>a<|end|><|assistant|> b <|end|><|user|>c<|end|><|assistant|>"),
    ])
    func namedTemplatesWriteTheirTurns(_ name: String, _ system: String?, _ expected: String) throws {
        let builtin = try #require(BuiltinTemplate.named(name))
        let first: [JSONValue] = system.map { [["role": "system", "content": .string($0)]] } ?? []
        let template = try ChatTemplate(builtin.source)
        #expect(!template.readsContentParts || name.contains("vision"))
        #expect(try ChatPrompt(messages: first + Self.turns).text(with: template, at: someTime) == expected)
    }

    @Test func everyNameHasATemplateAndOthersHaveNone() throws {
        for name in BuiltinTemplate.names { _ = try ChatTemplate(#require(BuiltinTemplate.named(name)).source) }
        #expect(BuiltinTemplate.named("nothing") == nil)
    }
}
