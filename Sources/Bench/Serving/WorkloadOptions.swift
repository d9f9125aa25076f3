import ArgumentParser

/// Which requests are sent, and how fast.
package struct WorkloadOptions: ParsableArguments {
    @Option(help: "How many requests are sent.")
    var numPrompts: Int = 64

    @Option(help: "Requests under way at one time at most.")
    var maxConcurrency: Int = 16

    @Option(
        help: "Requests started in a second, at random intervals (a Poisson process); without it as many as may be.")
    var requestRate: Double?

    @Option(help: "Length of the prompts, in tokens (in words with --text): N, or LOW-HIGH for lengths in between.")
    var inputLen: LengthRange = LengthRange(128...128)

    @Option(help: "Tokens to generate: N, or LOW-HIGH.")
    var outputLen: LengthRange = LengthRange(64...64)

    @Option(help: "Tokens (words with --text) at the front that all prompts have in common, besides --input-len.")
    var sharedPrefixLen: Int = 0

    @Option(help: "Ids that random prompts are made of, LOW-HIGH.")
    var tokenRange: LengthRange = LengthRange(1000...30000)

    @Option(help: "Cut the prompts from this text instead of making them of random ids.")
    var text: String?

    @Option(help: "Seed of prompts, lengths and intervals; one seed makes one load.")
    var seed: UInt64 = 1

    @Option(help: "Requests that are sent one after the other before the measurement, with prompts of their own.")
    var warmupRequests: Int = 1

    /// For the command line parser.
    package init() {}

    /// Refuses what makes no load.
    package func validate() throws {
        guard numPrompts > 0, maxConcurrency > 0, sharedPrefixLen >= 0, warmupRequests >= 0 else {
            throw ValidationError("counts are positive")
        }
        guard inputLen.range.lowerBound > 0, outputLen.range.lowerBound > 0 else {
            throw ValidationError("lengths are positive")
        }
        guard requestRate.map({ $0 > 0 && $0.isFinite }) ?? true else {
            throw ValidationError("--request-rate is a positive number")
        }
    }
}

/// One length, or all between two.
package struct LengthRange: ExpressibleByArgument, CustomStringConvertible {
    /// The lengths.
    package let range: ClosedRange<Int>

    /// Wraps a range.
    package init(_ range: ClosedRange<Int>) { self.range = range }

    /// Reads `N` or `LOW-HIGH`.
    package init?(argument: String) {
        let ends = argument.split(separator: "-", omittingEmptySubsequences: false).map { Int($0) }
        guard (1...2).contains(ends.count), let low = ends[0], let high = ends[ends.count - 1], 0 <= low, low <= high
        else { return nil }
        range = low...high
    }

    /// As it is written on the command line.
    package var description: String {
        range.lowerBound == range.upperBound ? "\(range.lowerBound)" : "\(range.lowerBound)-\(range.upperBound)"
    }

    /// The same, for the help.
    package var defaultValueDescription: String { description }
}
