/// What is told of the experts that tokens take.
extension FlagCatalog {
    /// The recorder, and answers that tell it.
    static let experts: [Flag] = [
        Flag(
            name: "expert-distribution-recorder-mode",
            kind: .choice(ServerSettings.ExpertRecorderMode.allCases.map(\.rawValue)),
            standing: .honoured(FlagBinding(\.expertRecorderMode)), section: .observability,
            help: "what can be recorded of the experts that tokens take: counts, or each token's choice"),
        Flag(
            name: "expert-distribution-recorder-buffer-size", kind: .integer(-1...Int(Int32.max)),
            standing: .honoured(FlagBinding(minusOneIsNil: \.expertRecorderBufferSize)), section: .observability,
            help: "most passes of the model that the recorder keeps; -1 keeps all"),
        Flag(
            name: "enable-return-routed-experts", kind: .toggle,
            standing: .honoured(FlagBinding(\.enableReturnRoutedExperts)), section: .serving,
            help: "answers tell, where asked, which experts each token took"),
    ]
}
