/// Flags about structured output.
extension FlagCatalog {
    /// The engine, and what stands between the parts of JSON.
    static let grammars: [Flag] = [
        Flag(
            name: "grammar-backend", kind: .choice(["xgrammar", "outlines", "llguidance", "none"]),
            standing: .honoured(FlagBinding(\.grammarBackend)), section: .serving,
            help: "none refuses grammars; all others are the engine that is built in"),
        Flag(
            name: "constrained-json-disable-any-whitespace", kind: .toggle,
            standing: .honoured(FlagBinding(\.disableAnyWhitespace)), section: .serving,
            help: "constrained JSON has one space behind commas and colons, and no other"),
        Flag(
            name: "constrained-json-whitespace-pattern", kind: .text(valueName: "REGEX"),
            standing: .honoured(FlagBinding(\.whitespacePattern)), section: .serving,
            help: "regular expression of the space within constrained JSON (any whitespace)"),
        Flag(
            name: "constrained-json-max-whitespace-cnt", kind: .integer(0...1024),
            standing: .honoured(FlagBinding(\.maxWhitespaceCount)), section: .serving,
            help: "most whitespace characters between two parts of constrained JSON"),
        Flag(
            name: "disable-jump-forward", kind: .toggle,
            standing: .honoured(FlagBinding(\.disableJumpForward)), section: .serving,
            help: "ask the model for each token of constrained text, even where only one text may come"),
    ]
}
