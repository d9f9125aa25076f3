import Glibc
import Values

/// What one request asks for, and when it may start.
package struct PlannedRequest: Equatable {
    /// What the model is asked to go on with.
    package enum Prompt: Equatable {
        case ids([Int])
        case text(String)
    }

    /// What the model goes on with.
    package let prompt: Prompt
    /// Tokens to generate.
    package let outputLength: Int
    /// Seconds after the start of the run.
    package let arrival: Double

    /// States what a request asks for.
    package init(prompt: Prompt, outputLength: Int, arrival: Double) {
        self.prompt = prompt
        self.outputLength = outputLength
        self.arrival = arrival
    }
}

/// The requests of a run, the same for the same options.
package struct Workload {
    /// In the order in which they start.
    package let requests: [PlannedRequest]
    /// Sent before, to warm the server; their prompts share nothing with the others.
    package let warmup: [PlannedRequest]

    /// Makes the requests.
    ///
    /// - Parameter text: what prompts are cut from, instead of random ids.
    package init(_ options: WorkloadOptions, text: String?) throws {
        var random = SplitMix64(seed: options.seed)
        let source = PromptSource(
            ids: options.tokenRange.range, words: text?.split(whereSeparator: \.isWhitespace) ?? [])
        let longest = options.sharedPrefixLen + options.inputLen.range.upperBound
        guard text == nil || source.words.count > longest else {
            throw BenchFailure(
                "the text has \(source.words.count) words; prompts of \(longest) cannot be cut from it")
        }
        let prefix = source.piece(of: options.sharedPrefixLen, using: &random)
        var arrival = 0.0
        requests = (0..<options.numPrompts).map { index in
            // The first request comes at once; the time to each next one is drawn from an exponential distribution.
            if let rate = options.requestRate, index > 0 { arrival -= log(1 - random.unit()) / rate }
            let own = source.piece(of: Int.random(in: options.inputLen.range, using: &random), using: &random)
            return PlannedRequest(
                prompt: prefix.joined(own), outputLength: Int.random(in: options.outputLen.range, using: &random),
                arrival: arrival)
        }
        warmup = (0..<options.warmupRequests).map { _ in
            let length = options.inputLen.range.upperBound
            return PlannedRequest(
                prompt: source.piece(of: length, using: &random), outputLength: options.outputLen.range.upperBound,
                arrival: 0)
        }
    }
}

extension PlannedRequest.Prompt {
    /// This followed by another of its kind.
    func joined(_ next: Self) -> Self {
        switch (self, next) {
        case (.ids(let first), .ids(let second)): .ids(first + second)
        case (.text(let first), .text(let second)): .text(first.isEmpty ? second : first + " " + second)
        default: next
        }
    }
}

/// Where prompts come from.
private struct PromptSource {
    let ids: ClosedRange<Int>
    let words: [Substring]

    /// So many random ids, or words that follow each other from a random place on.
    func piece(of length: Int, using random: inout SplitMix64) -> PlannedRequest.Prompt {
        if words.isEmpty { return .ids((0..<length).map { _ in Int.random(in: ids, using: &random) }) }
        let start = Int.random(in: 0...(words.count - length), using: &random)
        return .text(words[start..<start + length].joined(separator: " "))
    }
}
