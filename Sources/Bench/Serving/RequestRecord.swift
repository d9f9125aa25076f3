/// What became of one request; times are seconds after the start of the run.
package struct RequestRecord: Equatable {
    /// When it was sent.
    package let start: Double
    /// When its answer ended, or it failed.
    package private(set) var end: Double
    /// When its first token came; nil before.
    package private(set) var firstToken: Double?
    /// Time from each token to the next.
    ///
    /// Tokens that come together share the time since the one before.
    package private(set) var gaps: [Double] = []
    /// Tokens it gave.
    package private(set) var outputTokens = 0
    /// Prompt tokens as the server counts them; 0 when it does not say.
    package var promptTokens = 0
    /// Prompt tokens that the server had already.
    package var cachedTokens = 0
    /// Why it failed; nil when it did not.
    package var failure: String?
    private var lastToken = 0.0

    /// Starts the record of a request that is sent now.
    package init(start: Double) {
        self.start = start
        end = start
    }

    /// Notes that there are `total` tokens by now.
    package mutating func tokens(_ total: Int, at time: Double) {
        let news = total - outputTokens
        guard news > 0 else { return }
        if firstToken == nil {
            firstToken = time
        } else {
            gaps += repeatElement((time - lastToken) / Double(news), count: news)
        }
        outputTokens = total
        lastToken = time
    }

    /// Notes the end.
    package mutating func finish(at time: Double) { end = time }
}
