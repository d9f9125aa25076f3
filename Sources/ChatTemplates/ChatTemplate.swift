private import JSON
package import Values

/// A chat template: the Jinja that models bring along, read once and rendered for every conversation.
///
/// Renders what transformers renders: Jinja with `trim_blocks` and `lstrip_blocks`, loop controls, `generation` blocks,
/// transformers' `tojson`, and nothing that can be changed. Rendering is bounded and depends on its arguments only.
package struct ChatTemplate: Sendable {
    /// The template's text.
    package let source: String
    /// Whether the template reads a message's content part by part, so that content must stay a list.
    package let readsContentParts: Bool
    private let syntax: TemplateSyntax

    /// Reads a template.
    package init(_ source: String) throws(TemplateError) {
        self.source = source
        syntax = try Parser.parse(source)
        readsContentParts = ContentFormat.isList(source, syntax)
    }

    /// The text of a conversation.
    package func render(
        _ context: TemplateContext, limits: TemplateLimits = TemplateLimits(), at clock: CalendarTime
    ) throws(TemplateError) -> String {
        let interpreter = Interpreter(syntax, limits: limits, clock: clock)
        for (text, value) in zip(context.variables.keys, context.variables.values) {
            guard let name = syntax.names.find(text) else { continue }
            interpreter.root.set(name, try Value(value))
        }
        return try interpreter.render()
    }
}
