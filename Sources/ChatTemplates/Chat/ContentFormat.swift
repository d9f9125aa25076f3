/// Tells from a template what it expects a message's content to be, by the signs SGLang goes by: a loop over
/// `message.content` (or `msg`'s or `m`'s), or a word for something that is no text.
enum ContentFormat {
    private static let words = ["image", "audio", "video", "vision"]
    private static let variables = ["message", "msg", "m"]

    /// Whether content should stay a list of parts.
    static func isList(_ source: String, _ syntax: TemplateSyntax) -> Bool {
        if words.contains(where: { PythonText.contains(source, $0) }) { return true }
        let names = Set(variables.compactMap { syntax.names.find($0) })
        return syntax.statements.contains { hasContentLoop($0, names) }
    }

    private static func hasContentLoop(_ statement: Statement, _ names: Set<Name>) -> Bool {
        let search = { (body: [Statement]) in body.contains { hasContentLoop($0, names) } }
        return switch statement.kind {
        case .text, .output, .assign, .breakLoop, .continueLoop: false
        case .conditional(let branches, let otherwise):
            branches.contains { search($0.body) } || search(otherwise)
        case .loop(let loop): isContent(loop.iterable, names) || search(loop.body) || search(loop.otherwise)
        case .assignBlock(_, _, let body), .filterBlock(_, let body), .with(_, let body), .scope(let body, _):
            search(body)
        case .macro(let macro), .callBlock(_, let macro): search(macro.body)
        }
    }

    /// Whether an expression is the content of a message, be it filtered or sliced.
    private static func isContent(_ expression: Expression, _ names: Set<Name>) -> Bool {
        switch expression.kind {
        case .filter(let value?, _, _), .test(let value, _, _), .slice(let value, _): isContent(value, names)
        case .attribute(let value, "content"): isVariable(value, names)
        case .item(let value, let index):
            if case .constant(.string("content")) = index.kind { isVariable(value, names) } else { false }
        default: false
        }
    }

    private static func isVariable(_ expression: Expression, _ names: Set<Name>) -> Bool {
        if case .name(let name) = expression.kind { names.contains(name) } else { false }
    }
}
