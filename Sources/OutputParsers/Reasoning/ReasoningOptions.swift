/// What a request says about its thinking part.
package struct ReasoningOptions: Sendable, Equatable {
    /// Whether the answer begins inside the thinking part, since the prompt has opened it; nil leaves it to the parser.
    package var isForced: Bool?
    /// Whether thinking is given as it comes; otherwise it is held until it has ended.
    package var streams: Bool
    /// The beginning of the answer that the prompt holds (`continue_final_message`): its markers count as seen.
    package var prefix: String
    /// Whether an answer without content gives its thinking as content (`force_nonempty_content`).
    package var needsContent: Bool
    /// `reasoning_effort`, which decides on the markers of k2_horizon; nil means high.
    package var effort: String?

    package init(
        isForced: Bool? = nil, streams: Bool = true, prefix: String = "", needsContent: Bool = false,
        effort: String? = nil
    ) {
        self.isForced = isForced
        self.streams = streams
        self.prefix = prefix
        self.needsContent = needsContent
        self.effort = effort
    }
}
