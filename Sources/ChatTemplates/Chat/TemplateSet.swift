package import JSON

/// Where a model's templates may come from, as found; reading the files is the finder's business.
package struct TemplateSources: Equatable, Sendable {
    /// `chat_template` of tokenizer_config.json: a text, or a list of names and texts.
    package var tokenizerConfig: JSONValue?
    /// The text of chat_template.jinja.
    package var file: String?
    /// The texts of additional_chat_templates/NAME.jinja.
    package var furtherFiles: [(name: String, text: String)]
    /// The content of chat_template.json.
    package var json: JSONValue?
    /// GGUF's `tokenizer.chat_template`.
    package var gguf: String?
    /// GGUF's `tokenizer.chat_template.NAME`.
    package var furtherGGUF: [(name: String, text: String)]
    /// What `--chat-template` names: the text of its file.
    package var override: String?

    package init() {
        furtherFiles = []
        furtherGGUF = []
    }

    package static func == (a: TemplateSources, b: TemplateSources) -> Bool {
        a.tokenizerConfig == b.tokenizerConfig && a.file == b.file && a.json == b.json && a.gguf == b.gguf
            && a.override == b.override && a.furtherFiles.elementsEqual(b.furtherFiles, by: ==)
            && a.furtherGGUF.elementsEqual(b.furtherGGUF, by: ==)
    }

    /// Names and texts in the order of preference of the first source that has any: the flag, files of templates,
    /// tokenizer_config.json, chat_template.json, GGUF.
    fileprivate var named: [(name: String, text: String)] {
        if let override { return [(TemplateSet.standard, override)] }
        if file != nil || !furtherFiles.isEmpty {
            return (file.map { [(TemplateSet.standard, $0)] } ?? []) + furtherFiles
        }
        for value in [tokenizerConfig, json?["chat_template"] ?? json] {
            let found = Self.templates(value)
            if !found.isEmpty { return found }
        }
        return (gguf.map { [(TemplateSet.standard, $0)] } ?? []) + furtherGGUF
    }

    private static func templates(_ value: JSONValue?) -> [(name: String, text: String)] {
        switch value {
        case .string(let text)?: [(TemplateSet.standard, text)]
        case .array(let entries)?:
            entries.compactMap { entry in
                guard let name = entry["name"]?.stringValue, let text = entry["template"]?.stringValue else {
                    return nil
                }
                return (name, text)
            }
        case .object(let members)?: members.compactMap { name, text in text.stringValue.map { (name, $0) } }
        default: []
        }
    }
}

/// A model's templates, read once; one of them is picked for a request.
package struct TemplateSet: Sendable {
    fileprivate static let standard = "default"
    private static let forTools = "tool_use"

    private let templates: [(name: String, template: Result<ChatTemplate, TemplateError>)]
    /// The name that `--hf-chat-template-name` gives.
    private let chosen: String?

    /// Reads all templates there are. One that is wrong fails when it is picked: a model may bring more than it needs.
    package init(_ sources: TemplateSources, choosing chosen: String? = nil) {
        templates = sources.named.map { name, text in
            (name, Result { () throws(TemplateError) in try ChatTemplate(text) })
        }
        self.chosen = chosen
    }

    package var isEmpty: Bool { templates.isEmpty }

    /// What is wrong with those that cannot be used, each with its name.
    package var faults: [String] {
        templates.compactMap { name, template in
            if case .failure(let error) = template { "chat template '\(name)': \(error)" } else { nil }
        }
    }

    /// The names of the templates.
    package var names: [String] { templates.map(\.name) }

    /// The template for a request: the one that was chosen by name, the only one, or the one for tools where there are
    /// tools and it exists, or else the default.
    package func template(hasTools: Bool) throws(TemplateError) -> ChatTemplate {
        if templates.isEmpty {
            throw TemplateError(.conversation, "The model has no chat template; give one by --chat-template.")
        }
        if let chosen {
            guard let found = find(chosen) else {
                throw TemplateError(
                    .conversation, "There is no chat template '\(chosen)'; there are: \(names.joined(separator: ", "))."
                )
            }
            return try found.get()
        }
        if hasTools, let found = find(Self.forTools) { return try found.get() }
        if let found = find(Self.standard) { return try found.get() }
        if templates.count == 1 { return try templates[0].template.get() }
        throw TemplateError(
            .conversation,
            "No chat template is the default; choose one by --hf-chat-template-name: \(names.joined(separator: ", ")).")
    }

    private func find(_ name: String) -> Result<ChatTemplate, TemplateError>? {
        templates.first { $0.name == name }?.template
    }
}
