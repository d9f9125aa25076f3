/// What layers with a window keep.
extension FlagCatalog {
    /// The pool of these layers.
    static let windows: [Flag] = [
        Flag(
            name: "swa-full-tokens-ratio", kind: .number(0...1),
            standing: .honoured(FlagBinding(\.swaFullTokensRatio)), section: .scheduling,
            help: "slots of the layers with a sliding window for each slot of the others"),
        Flag(
            name: "disable-hybrid-swa-memory", kind: .toggle,
            standing: .honoured(FlagBinding(\.disableHybridSWAMemory)), section: .scheduling,
            help: "layers with a sliding window keep every position, as the others do"),
    ]
}
