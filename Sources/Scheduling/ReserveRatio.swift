/// Which share of the tokens that running requests may still generate is set aside at admission.
///
/// It starts high, sinks while steps go well, and rises after a retraction (SGLang's new-token ratio).
struct ReserveRatio: Sendable {
    /// Requests with a larger limit count as this.
    static let longestEstimate = 4096
    private static let stepsOfForesight = 20.0

    private(set) var value: Double
    private let start: Double
    private let floor: Double

    init(conservativeness: Double) {
        start = min(1, 0.7 * conservativeness)
        floor = start * 0.14
        value = start
    }

    /// Tokens that are set aside for a running request: what it may generate, and what is left of its prompt.
    func reserve(_ request: ScheduledRequest) -> Int {
        let output = Double(min(request.remaining, Self.longestEstimate))
        let prompt = request.isPrefilling ? request.uncomputed : 0
        return Int((output * value).rounded(.up)) + prompt
    }

    /// A step went well.
    mutating func decay() { value = max(floor, value - (start - floor) / 600) }

    /// Nothing runs.
    mutating func reset() { value = start }

    /// Requests had to be retracted: expect the rest to go on as they did.
    mutating func afterRetraction(decoded: Int, limits: Int, running: Int) {
        value = min(1, (Double(decoded) + Self.stepsOfForesight * Double(running)) / Double(limits + 1))
    }
}
