package import Ledger

/// What the reference says of features that a server was not launched with; clients match the texts.
extension RequestFailure {
    /// Hidden states of the model were asked for.
    package static let noHiddenStates = RequestFailure.invalid(
        "The server is not configured to return hidden states. Please set `--return-hidden-states-mode last`, "
            + "`--return-hidden-states-mode full`, or the legacy `--enable-return-hidden-states` flag.")

    /// The experts that tokens took were asked for.
    static let noRoutedExperts = RequestFailure.invalid(
        "The server is not configured to return routed experts. Please set `--enable-return-routed-experts` to "
            + "enable this feature.")

    /// A processor of logits was sent along.
    package static let noLogitProcessor = RequestFailure.invalid(
        "The server is not configured to enable custom logit processor. Please set "
            + "`--enable-custom-logit-processor` to enable this feature.")

    /// A bound for thinking was set.
    package static let noThinkingBound = RequestFailure.invalid(
        "max_thinking_tokens requires the server to be launched with --enable-strict-thinking")

    /// A streaming session was named.
    package static let noStreamingSessions = RequestFailure.invalid(
        "Streaming sessions are disabled. Please relaunch with --enable-streaming-session.")

    /// An adapter of the weights was named.
    package static func noAdapter(_ name: String) -> RequestFailure {
        .invalid(
            "LoRA adapter '\(name)' was requested, but LoRA is not enabled. Please launch the server with "
                + "--enable-lora flag and preload adapters using --lora-paths or /load_lora_adapter endpoint.")
    }

    /// A copy of the model that is not there was named.
    package static func noRank(_ rank: Int) -> RequestFailure {
        .invalid("routed_dp_rank=\(rank) out of range [0, 1)")
    }

    /// Something was asked for that this server never does.
    package static func unsupported(_ field: String) -> RequestFailure {
        .invalid("\(field) is not supported by this server.")
    }
}
