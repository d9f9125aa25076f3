/// What the engine asks of one step beyond the limits that always hold.
package struct StepTerms: Sendable, Equatable {
    /// Most prompt tokens of a step in which requests decode, where prompts may be cut; nil: no limit but the usual one.
    package var promptTokensBesideDecoding: Int?
    /// Prompts wait at their last token until the step has room left, so that those that came together get their first tokens together
    /// and nobody streams while others are computed.
    package var holdsLastTokens = false
    /// Requests that have not begun wait: they had better begin with other weights.
    package var holdsNewRequests = false
    /// Decoding requests that sit the step out; never all of them.
    package var resting: Set<UInt64> = []

    package init() {}
}
