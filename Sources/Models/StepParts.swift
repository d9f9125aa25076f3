package import Tensors

/// Where a part of a step lies within it, and in the working memory.
struct PartPlace {
    /// Its first row, and how many it has; nil for all.
    var firstRow = 0
    var rows: Int?
    /// Its first sequence.
    var firstSequence = 0
    /// The first of its rows among those whose answers are wanted.
    var firstWanted = 0
    /// The row of the working memory from which on its layers use it.
    var memoryRow = 0
}

/// The cut of a step of many texts into parts that threads compute alone, from the first layer to the last: what a text
/// needs stays in the caches of one core, and no thread waits for another between two operations.
package enum StepParts {
    /// Rows of a part at least, if there are as many: so weights pass by rarely enough.
    package static let fewestRows = 128

    /// Writes the first sequence of each part, and behind the last one the number of sequences, and returns how many parts
    /// there are; 0 where threads had better share every operation, since some would be idle in the end.
    package static func cut(
        _ sequences: UnsafePointer<AttentionSequence>, count: Int, threads: Int, memoryRows: Int,
        into starts: UnsafeMutablePointer<Int32>
    ) -> Int {
        var (parts, rows, total, most) = (0, 0, 0, 0)
        for index in 0..<count {
            let own = Int(sequences[index].rowCount)
            // A part ends where it is long enough, or where the next text would make it twice that.
            if rows == 0 || rows >= fewestRows || rows + own > 2 * fewestRows {
                starts[parts] = Int32(index)
                parts += 1
                rows = 0
            }
            rows += own
            total += own
            most = max(most, rows)
        }
        starts[parts] = Int32(count)
        return most * 2 * threads <= total && most <= memoryRows / threads ? parts : 0
    }
}

extension Network {
    /// Carries a step's rows through the layers part by part; false, and nothing has happened, where it is not worth it.
    /// Numbers of the sequences' rows are from here on those within their parts.
    func forwardApart(
        _ step: inout Step, _ parts: ModelParts, _ input: LentInput, sequenceCount: Int
    ) -> Bool {
        let scratch = parts.scratch
        let threads = parts.compute.threads
        let count = StepParts.cut(
            scratch.sequences, count: sequenceCount, threads: threads, memoryRows: scratch.rows,
            into: scratch.partStarts)
        guard count > 0 else { return false }
        parts.compute.apart(count) { own, thread, index in
            let range = Int(scratch.partStarts[index])..<Int(scratch.partStarts[index + 1])
            var place = PartPlace(
                firstRow: Int(scratch.sequences[range.lowerBound].rowStart), firstSequence: range.lowerBound,
                memoryRow: thread * (scratch.rows / threads))
            var rows = 0
            for sequence in range {
                scratch.sequences[sequence].rowStart = Int32(rows)
                rows += Int(scratch.sequences[sequence].rowCount)
            }
            place.rows = rows
            let wanted = input.wantedRows.map { all in
                let first = all.partitionIndex(from: Int32(place.firstRow))
                place.firstWanted = first
                return UnsafeBufferPointer(
                    rebasing: all[first..<all.partitionIndex(from: Int32(place.firstRow + rows))])
            }
            var alone = parts
            alone.compute = own
            var step = Step(alone, input: input, sequenceCount: range.count, wantedRows: wanted, at: place)
            forward(&step)
            step.wantedResidual()
        }
        step.endParts()
        return true
    }
}

extension UnsafeBufferPointer<Int32> {
    /// Index of the first of ascending numbers that is not below `limit`.
    fileprivate func partitionIndex(from limit: Int32) -> Int {
        var (low, high) = (0, count)
        while low < high {
            let middle = (low + high) / 2
            if self[middle] < limit { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
