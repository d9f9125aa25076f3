/// Which front a request or a call belongs to: its generation is in the upper bits of every number that a front gives out.
package enum FrontGeneration {
    private static let shift: UInt64 = 40

    /// The generation of the front that gave out a number.
    package static func of(_ number: UInt64) -> UInt64 { number >> shift }

    /// The first number of a front; the ones behind it are its own.
    package static func base(_ generation: UInt64) -> UInt64 { generation << shift }
}

extension FrontReply {
    /// The reply, taken apart where it holds news for several fronts.
    package func parts() -> [(generation: UInt64, reply: FrontReply)] {
        switch reply {
        case .text(let batch)?:
            Self.groups(batch.requestIds).map { generation, rows in
                let isWhole = rows.count == batch.requestIds.count
                return (generation, isWhole ? self : .make { $0.text = batch.selecting(rows) })
            }
        case .vectors(let batch)?:
            Self.groups(batch.requestIds).map { generation, rows in
                let isWhole = rows.count == batch.requestIds.count
                return (generation, isWhole ? self : .make { $0.vectors = batch.selecting(rows) })
            }
        case .resubmit(let request)?:
            Self.groups(request.keys.map(\.id)).map { generation, rows in
                (generation, .make { $0.resubmit = .make { $0.keys = rows.map { request.keys[$0] } } })
            }
        case .failure(let failure)?: [(FrontGeneration.of(failure.key.id), self)]
        case .promptIds(let prompt)?: [(FrontGeneration.of(prompt.key.id), self)]
        case .control(let reply)?: [(FrontGeneration.of(reply.call), self)]
        case .encoded(let reply)?: [(FrontGeneration.of(reply.call), self)]
        case .decoded(let reply)?: [(FrontGeneration.of(reply.call), self)]
        // Told to fronts by name.
        case .abortMatching?, nil: []
        }
    }

    /// The places of the numbers of each front, fronts in order.
    private static func groups(_ numbers: [UInt64]) -> [(generation: UInt64, places: [Int])] {
        guard let first = numbers.first.map(FrontGeneration.of) else { return [] }
        if numbers.allSatisfy({ FrontGeneration.of($0) == first }) { return [(first, Array(numbers.indices))] }
        return Dictionary(grouping: numbers.indices) { FrontGeneration.of(numbers[$0]) }
            .sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
    }
}

extension TextBatch {
    /// Some of the batch's requests, in the order given; the parallel arrays must fit together.
    func selecting(_ rows: [Int]) -> TextBatch {
        var starts: [Int] = []
        var end = 0
        for count in counts {
            starts.append(end)
            end += Int(count)
        }
        var part = TextBatch()
        part.requestIds = rows.map { requestIds[$0] }
        part.attempts = rows.map { attempts[$0] }
        part.offsets = rows.map { offsets[$0] }
        part.counts = rows.map { counts[$0] }
        part.ids = rows.flatMap { ids[starts[$0]..<starts[$0] + Int(counts[$0])] }
        part.textOffsets = rows.map { textOffsets[$0] }
        part.texts = rows.map { texts[$0] }
        part.finish = rows.map { finish[$0] }
        part.promptTokens = rows.map { promptTokens[$0] }
        part.cachedTokens = rows.map { cachedTokens[$0] }
        part.retractions = rows.map { retractions[$0] }
        let places = Dictionary(uniqueKeysWithValues: rows.enumerated().map { (UInt32($1), UInt32($0)) })
        for var frame in logprobs {
            guard let place = places[frame.row] else { continue }
            frame.row = place
            part.logprobs.append(frame)
        }
        part.weights = weights
        for var frame in hidden {
            guard let place = places[frame.row] else { continue }
            frame.row = place
            part.hidden.append(frame)
        }
        return part
    }
}
