/// Why a template could not be read or rendered: a kind, the line of the template, and the reason in one sentence.
package struct TemplateError: Error, Equatable, Sendable, CustomStringConvertible {
    /// What sort of failure this is.
    package enum Kind: String, Sendable {
        /// The template's text is not a template.
        case syntax
        /// The template itself refused the conversation (`raise_exception`).
        case raised
        /// An operation failed while rendering, as an undefined value's attribute or a sum of unlike things.
        case runtime
        /// Rendering would have taken more steps, depth or output than allowed.
        case limit
        /// The conversation is not one that can be rendered; no template is to blame.
        case conversation
    }

    package let kind: Kind
    /// The line, from 1; 0 where no line is to blame.
    package internal(set) var line: Int
    package let reason: String

    package init(_ kind: Kind, line: Int = 0, _ reason: String) {
        self.kind = kind
        self.line = line
        self.reason = reason
    }

    package var description: String {
        if kind == .conversation { return reason }
        return line > 0 ? "chat template, line \(line): \(reason)" : "chat template: \(reason)"
    }

    /// A failure of an operation; the interpreter adds the line.
    static func runtime(_ reason: String) -> TemplateError { TemplateError(.runtime, reason) }

    /// A limit reached; the interpreter adds the line.
    static func limit(_ reason: String) -> TemplateError { TemplateError(.limit, reason) }
}
