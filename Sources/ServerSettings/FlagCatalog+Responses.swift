/// The store of responses.
extension FlagCatalog {
    /// Whether responses are kept, and how many.
    static let responses: [Flag] = [
        Flag(
            name: "enable-response-store", kind: .toggle, standing: .honoured(FlagBinding(\.enableResponseStore)),
            section: .serving, help: "answers of /v1/responses can be asked for again and gone on from"),
        Flag(
            name: "response-store-count", kind: .integer(1...1_000_000),
            standing: .honoured(FlagBinding(\.responseStoreCount)), section: .processes,
            help: "most responses that are kept; the oldest go first"),
        Flag(
            name: "response-store-bytes", kind: .count(1024...(1 << 40)),
            standing: .honoured(FlagBinding(\.responseStoreBytes)), section: .processes,
            help: "most bytes of all kept responses"),
        Flag(
            name: "response-store-age", kind: .number(0.001...1e9),
            standing: .honoured(FlagBinding(\.responseStoreAge)), section: .processes,
            help: "seconds for which a response is kept"),
    ]
}
