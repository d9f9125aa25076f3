package import Models
package import Scheduling

/// Turns the scheduler's batch into the model's input.
package struct BatchPlan {
    /// A row whose logits are wanted.
    package struct LogitTarget: Equatable {
        /// Index of the entry in the batch.
        package var entry: Int
        /// Position of the row in its request.
        package var position: Int
    }

    package private(set) var input = ForwardInput()
    package private(set) var targets: [LogitTarget] = []

    package init() {}

    /// Puts vectors into the place of the tokens' where an entry's rows have any; `vectors` holds those of its first positions.
    package mutating func add(_ vectors: [Float], width: Int, entry index: Int, _ entry: Batch.Entry) {
        let end = min(entry.start + entry.count, vectors.count / width)
        guard entry.start < end else { return }
        for row in 0..<end - entry.start {
            input.vectorRows.append(Int32(input.sequences[index].rowStart + row))
        }
        input.vectors.append(contentsOf: vectors[entry.start * width..<end * width])
    }

    /// Fills input and targets for a batch of this scheduler; `keepsEveryRow` as in `ForwardInput`.
    package mutating func prepare(_ batch: Batch, _ scheduler: borrowing Scheduler, keepsEveryRow: Bool = false) {
        input.removeAll()
        input.keepsEveryRow = keepsEveryRow
        targets.removeAll(keepingCapacity: true)
        for (index, entry) in batch.entries.enumerated() {
            guard let request = scheduler.request(entry.id) else {
                preconditionFailure("a batch names an unknown request")
            }
            let end = entry.start + entry.count
            let rowStart = input.tokens.count
            input.sequences.append(
                ForwardInput.Sequence(
                    rowStart: rowStart, rowCount: entry.count, slotStart: input.slots.count, length: end))
            input.slots.append(contentsOf: request.slots[..<end])
            input.writeSlots.append(contentsOf: request.slots[entry.start..<end])
            if scheduler.limits.window != nil {
                scheduler.windowSlots(request.slots[..<end], into: &input.windowSlots)
                scheduler.windowSlots(request.slots[entry.start..<end], into: &input.windowWriteSlots)
            }
            input.tokens.append(contentsOf: request.tokens[entry.start..<end])
            for position in entry.start..<end { input.positions.append(Int32(position)) }
            guard let first = entry.logitsFrom else { continue }
            for position in first..<end {
                input.logitRows.append(Int32(rowStart + position - entry.start))
                targets.append(LogitTarget(entry: index, position: position))
            }
        }
    }

    /// Says how many rows of each text are the prompt before it, where any has one.
    mutating func setLeadingRows(_ batch: Batch, _ requests: [UInt64: VectorRequest]) {
        let counts = targets.map { Int32(requests[batch.entries[$0.entry].id]?.leading ?? 0) }
        if counts.contains(where: { $0 > 0 }) { input.leadingRows = counts }
    }

    /// Adds the types of the rows where a request of the batch has any.
    mutating func setTypes(_ batch: Batch, _ requests: [UInt64: VectorRequest]) {
        guard batch.entries.contains(where: { requests[$0.id]?.types.isEmpty == false }) else { return }
        for entry in batch.entries {
            let types = requests[entry.id]?.types ?? []
            if types.isEmpty {
                input.tokenTypes.append(contentsOf: repeatElement(0, count: entry.count))
            } else {
                input.tokenTypes.append(contentsOf: types[entry.start..<entry.start + entry.count])
            }
        }
    }
}
