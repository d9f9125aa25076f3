package import APICore
internal import JSON
package import Ledger

/// Fields of routes in OpenAI's manner that ask for something this server does not do: refused by name, never swallowed.
package struct UnservedChatFields: Sendable {
    private var failure: RequestFailure?

    /// Reads the fields.
    package init(_ fields: RequestFields) throws(RequestFailure) {
        let optionalText = { (value: JSONValue) in value.isNull ? "" : value.stringValue }
        let adapters = try fields.oneOrMany("lora_path", "a valid string", optionalText)?.all ?? []
        if let adapter = adapters.first(where: { !$0.isEmpty }) { refuse(.noAdapter(adapter)) }
        if let model = try fields.string("model"), let colon = model.firstIndex(of: ":") {
            refuse(.noAdapter(String(model[model.index(after: colon)...])))
        }
        if try fields.string("custom_logit_processor")?.isEmpty == false { refuse(.noLogitProcessor) }
        let (rank, oldRank) = (try fields.int("routed_dp_rank"), try fields.int("data_parallel_rank"))
        if let rank = rank ?? oldRank, rank != 0 { refuse(.noRank(rank)) }
        if try fields.int("max_thinking_tokens") != nil { refuse(.noThinkingBound) }
        if fields["session_id"] != nil { refuse(.noStreamingSessions) }
        for name in ["session_params", "custom_labels", "bootstrap_host", "bootstrap_room"] where fields[name] != nil {
            refuse(.unsupported(name))
        }
        for name in [
            "return_spec_tokens_details", "return_indexer_topk", "return_sampling_mask",
            "use_beam_search",
        ] where try fields.bool(name) { refuse(.unsupported(name)) }
    }

    /// - Throws: the failure for the first field that cannot be served.
    package func check() throws(RequestFailure) {
        if let failure { throw failure }
    }

    private mutating func refuse(_ reason: RequestFailure) {
        if failure == nil { failure = reason }
    }
}
