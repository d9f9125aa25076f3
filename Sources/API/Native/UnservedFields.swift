internal import APICore
internal import JSON
internal import Ledger

/// Fields of /generate that ask for something this server does not do: their types are checked with all others, their use
/// is refused with the reference's texts.
struct UnservedFields: Sendable {
    private var failure: RequestFailure?

    /// Reads the fields.
    init(_ fields: RequestFields) throws(RequestFailure) {
        try processors(fields)
        try placement(fields)
        try extras(fields)
    }

    /// - Throws: the failure for the first field that cannot be served.
    func check() throws(RequestFailure) {
        if let failure { throw failure }
    }

    private mutating func refuse(_ message: String) { refuse(.invalid(message)) }

    private mutating func refuse(_ reason: RequestFailure) {
        if failure == nil { failure = reason }
    }

    private mutating func processors(_ fields: RequestFields) throws(RequestFailure) {
        let optionalText = { (value: JSONValue) in value.isNull ? "" : value.stringValue }
        let adapters = try fields.oneOrMany("lora_path", "a valid string", optionalText)
        if let adapter = adapters?.all.first(where: { !$0.isEmpty }) {
            refuse(.noAdapter(adapter))
        }
        let processors = try fields.oneOrMany("custom_logit_processor", "a valid string", optionalText)
        if processors?.all.contains(where: { !$0.isEmpty }) == true {
            refuse(.noLogitProcessor)
        }
    }

    private mutating func placement(_ fields: RequestFields) throws(RequestFailure) {
        let rank = try fields.int("routed_dp_rank")
        let oldRank = try fields.int("data_parallel_rank")
        if let rank = rank ?? oldRank, rank != 0 {
            refuse(.noRank(rank))
        }
        let thinking = try fields.int("max_thinking_tokens")
        if thinking != nil {
            refuse(.noThinkingBound)
        }
    }

    private mutating func extras(_ fields: RequestFields) throws(RequestFailure) {
        let mode = try fields.string("sampling_logprobs_mode")
        let mask = try fields.bool("return_sampling_mask")
        if mode != nil, !mask {
            refuse("sampling_logprobs_mode can only be set when return_sampling_mask=true.")
        }
        let flat = try fields.bool("return_flat_raw_top_logprobs")
        let flatOutput = try fields.bool("return_flat_raw_output_top_logprobs")
        let isPacked = try fields.bool("return_flat_raw_top_logprobs_b64")
        if isPacked, !flat, !flatOutput {
            refuse(
                "return_flat_raw_top_logprobs_b64 requires return_flat_raw_top_logprobs or "
                    + "return_flat_raw_output_top_logprobs.")
        }
        let isStream = try fields.bool("stream")
        if flatOutput, isStream {
            refuse(
                "return_flat_raw_output_top_logprobs is only set on the finished response and does not support stream=True."
            )
        }
        let names = [
            "return_sampling_mask", "return_flat_raw_top_logprobs", "return_flat_raw_output_top_logprobs",
            "return_indexer_topk", "return_entropy", "return_bytes",
        ]
        for name in names {
            if try fields.bool(name) { refuse(.unsupported(name)) }
        }
    }
}
