package import Scheduling

/// How prompts share the steps with streams: in pieces that keep the time between two tokens of a stream near a target, or together
/// where nobody streams.
///
/// It learns from the steps how long they take. A burst that finds nobody streaming is computed whole, and its requests get their first
/// tokens together, as far as that takes about ten gaps: nobody streams then who would have to wait. What is more goes in pieces.
package struct PromptPieces: Sendable {
    /// Seconds between two tokens that nobody minds.
    package static let usualGap = 0.1
    /// Share of the target that is used: steps differ, and most should stay below it.
    private static let share = 0.8
    /// Gaps' worth of prompts that a burst may be computed in at once.
    private static let burstGaps = 10.0
    /// Smaller pieces cost too much: each reads all weights.
    package static let smallest = 32
    /// While nothing was measured: of a piece, and of a burst.
    package static let unmeasured = 128
    private static let unmeasuredBurst = 1024

    private let gap: Double
    /// Seconds of a step in which requests decode and no prompt is computed.
    private var decodeTime = 0.0
    /// Prompt tokens a second in steps of their own, and in what they add to steps of decoding ones; 0: not measured yet.
    private var rate = 0.0
    private var rateBeside = 0.0
    /// Prompt tokens of the burst that may still be computed together; nil: nothing was computed since all was quiet.
    private var burst: Int?

    /// Pieces for gaps of so many seconds.
    package init(gap: Double) { self.gap = gap }

    /// Most prompt tokens of the next step, if requests decode in it.
    package var limit: Int {
        let known = rateBeside > 0 ? rateBeside : rate
        guard known > 0 else { return max(burst ?? 0, Self.unmeasured) }
        let piece = known * max(0, Self.share * gap - decodeTime)
        return max(burst ?? 0, Self.smallest, Int(min(piece, 1e9)) / 16 * 16)
    }

    /// Prompts of the next step wait for each other's last tokens.
    package var holdsLastTokens: Bool { burst ?? 1 > 0 }

    /// Nothing is left to compute: the next prompts find nobody streaming.
    package mutating func rest() { burst = nil }

    /// Learns from a step.
    package mutating func stepped(_ batch: Batch, seconds: Double) {
        let prompt = batch.prefillTokens
        let decodes = batch.rowCount > prompt
        guard prompt > 0 else {
            // All stream now.
            burst = 0
            // Where several tokens were known at once the step had more rows than usual.
            if decodes, batch.rowCount == batch.entries.count { Self.learn(seconds, &decodeTime) }
            return
        }
        if prompt >= Self.smallest, seconds > 0 {
            if decodes {
                Self.learn(Double(prompt) / max(seconds - decodeTime, seconds / 4), &rateBeside)
            } else {
                Self.learn(Double(prompt) / seconds, &rate)
            }
        }
        let whole = rate > 0 ? Int(min(rate * Self.burstGaps * gap, 1e9)) : Self.unmeasuredBurst
        burst = max(0, (burst ?? whole) - prompt)
    }

    private static func learn(_ value: Double, _ average: inout Double) {
        average = average == 0 ? value : 0.7 * average + 0.3 * value
    }
}
