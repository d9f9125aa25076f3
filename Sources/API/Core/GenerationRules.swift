package import Ledger
package import Messages
package import ServerSettings
internal import Values

/// What the server and its model say about requests that generate.
package struct GenerationRules: Sendable {
    package var limits = SamplingRanges.Limits()
    /// What requests that ask for hidden states get.
    package var hiddenStates = HiddenStateMode.noRow
    package var streamInterval = 1
    package var allowsTruncation = false
    /// Answers tell, where asked, which experts tokens took.
    package var returnsRoutedExperts = false
    /// Seeds the seeds of requests that name none.
    package var randomSeed: UInt64 = 0
    /// Routing key of requests that name none: the one in the header.
    package var routingKey = ""
    /// The thinking part of answers to requests that want a grammar to begin behind it, and behind which texts it begins then; nil: the
    /// operator named no parser.
    package var openThinking: (part: ThinkingPart, answer: [String])?
    /// Most rows one HTTP request may open.
    package var maximumRows = Int.max

    package init() {}

    /// What the operator's flags say.
    package init(_ settings: FrontSettings) {
        limits = SamplingRanges.Limits(settings)
        streamInterval = settings.streamInterval
        allowsTruncation = settings.allowAutoTruncate
        returnsRoutedExperts = settings.enableReturnRoutedExperts
        randomSeed = UInt64(bitPattern: Int64(settings.randomSeed))
        maximumRows = AdmissionGate.ownLimit
        hiddenStates =
            switch settings.hiddenStates {
            case .last: .lastRow
            case .full: .everyRow
            case nil: .noRow
            }
    }

    /// Where the experts begin that an answer tells, if any are asked for; the worker knows how long the prompt is.
    package func routedExperts(from start: Int?) throws(RequestFailure) -> UInt32? {
        guard let start else { return nil }
        guard returnsRoutedExperts else { throw .noRoutedExperts }
        guard start >= 0 else {
            throw .invalid("routed_experts_start_len must be in [0, prompt_tokens], got \(start).")
        }
        return UInt32(clamping: start)
    }
}

/// Seeds of single samples.
package enum SampleSeeds {
    /// The seed of one sample.
    ///
    /// - Parameters:
    ///   - given: the request's own seed.
    ///   - server: the server's seed.
    ///   - serial: a number that no other request of the server has.
    ///   - row: which row of the request this is, and which sample of its prompt.
    package static func seed(
        given: Int?, server: UInt64, serial: UInt64, row: (number: Int, sample: Int)
    ) -> UInt64 {
        given.map { sample(UInt64(bitPattern: Int64($0)), row.sample) }
            ?? mix(mix(server, serial), UInt64(row.number))
    }

    /// The stream of random numbers of one of several samples with the same seed.
    package static func sample(_ seed: UInt64, _ sample: Int) -> UInt64 {
        sample == 0 ? seed : mix(seed, UInt64(sample))
    }

    /// A number in which every bit depends on every bit of both.
    private static func mix(_ a: UInt64, _ b: UInt64) -> UInt64 {
        SplitMix64.mixed(a &+ SplitMix64.increment &* (b &+ 1))
    }
}

extension TokenIDs {
    /// The ids of a request's field, each within the vocabulary (of unknown size when 0).
    package init(checking list: [Int], _ field: String, _ vocabulary: Int) throws(RequestFailure) {
        let limit = vocabulary == 0 ? Int(Int32.max) : vocabulary
        self.init()
        ids.reserveCapacity(list.count)
        for id in list {
            guard (0..<limit).contains(id) else {
                throw .invalid("\(field) contains out-of-vocabulary token id \(id); valid range is [0, \(limit)).")
            }
            ids.append(Int32(id))
        }
    }
}
