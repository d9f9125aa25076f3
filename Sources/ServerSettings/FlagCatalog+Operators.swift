internal import Values

extension FlagCatalog {
    /// What operators may ask of a running server, and what clients may see of the model.
    static let operators: [Flag] = [
        Flag(
            name: "enable-memory-saver", kind: .toggle, standing: .honoured(FlagBinding(\.enableMemorySaver)),
            section: .serving, help: "/release_memory_occupation gives memory back to the system"),
        Flag(
            name: "enable-return-hidden-states", kind: .toggle,
            standing: .honoured(FlagBinding(\.enableReturnHiddenStates)), section: .serving,
            help: "requests may ask for hidden states: as --return-hidden-states-mode full"),
        Flag(
            name: "return-hidden-states-mode", kind: .choice(HiddenStateChoice.allCases.map(\.rawValue)),
            standing: .honoured(FlagBinding(\.returnHiddenStatesMode)), section: .serving,
            help: "requests may ask for hidden states: of the whole prompt, or of its last token only"),
    ]
}
