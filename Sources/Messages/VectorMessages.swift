extension TextBatch {
    /// The last word on a request that was given up before it had any text.
    package init(ending abort: Abort) {
        self.init()
        requestIds = [abort.key.id]
        attempts = [abort.key.attempt]
        (offsets, counts, textOffsets) = ([0], [0], [0])
        texts = [""]
        finish = [
            .make {
                $0.aborted = .make {
                    $0.message = abort.message
                    $0.statusCode = abort.statusCode
                }
            }
        ]
        (promptTokens, cachedTokens, retractions) = ([0], [0], [0])
    }
}

extension EmbedIDs {
    /// The type of each id, as far as the runs go.
    package var tokenTypes: [Int32] { types.flatMap { repeatElement($0.type, count: Int($0.count)) } }

    /// Says of what types the ids are; nothing where all are 0.
    package mutating func setTypes(_ list: [Int32]) {
        types = []
        guard list.contains(where: { $0 != 0 }) else { return }
        for type in list {
            if types.last?.type == type {
                types[types.count - 1].count += 1
            } else {
                types.append(
                    .make {
                        $0.type = type
                        $0.count = 1
                    })
            }
        }
    }
}

extension VectorBatch {
    /// Whether the parallel arrays fit together.
    package var isConsistent: Bool {
        let rows = requestIds.count
        return attempts.count == rows && counts.count == rows && promptTokens.count == rows
            && cachedTokens.count == rows && retractions.count == rows
            && counts.reduce(0, { $0 + Int($1) }) == values.count
            && tokenIds.count == (sparse ? values.count : 0)
    }

    /// Some of the batch's requests, in the order given; the parallel arrays must fit together.
    func selecting(_ rows: [Int]) -> VectorBatch {
        var starts: [Int] = []
        var end = 0
        for count in counts {
            starts.append(end)
            end += Int(count)
        }
        var part = VectorBatch()
        part.requestIds = rows.map { requestIds[$0] }
        part.attempts = rows.map { attempts[$0] }
        part.counts = rows.map { counts[$0] }
        part.values = rows.flatMap { values[starts[$0]..<starts[$0] + Int(counts[$0])] }
        (part.sparse, part.weights) = (sparse, weights)
        if sparse { part.tokenIds = rows.flatMap { tokenIds[starts[$0]..<starts[$0] + Int(counts[$0])] } }
        part.promptTokens = rows.map { promptTokens[$0] }
        part.cachedTokens = rows.map { cachedTokens[$0] }
        part.retractions = rows.map { retractions[$0] }
        return part
    }
}
