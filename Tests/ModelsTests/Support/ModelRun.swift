import Foundation
import Models

/// Feeds known tokens to a model in steps of any shape and keeps every row's logits, so that two ways of running can be
/// compared.
struct ModelRun {
    /// A known token sequence and where it lies in the cache.
    struct Track {
        let tokens: [Int32]
        /// Cache slot of each position.
        let slots: [Int32]
        /// Positions that need no computing, since their slots already hold them.
        var done = 0
        /// Logits of each computed position.
        var logits: [[Float]]

        init(tokens: [Int32], slots: [Int32], cached: Int = 0) {
            self.tokens = tokens
            self.slots = slots
            done = cached
            logits = Array(repeating: [], count: tokens.count)
        }
    }

    let model: any LanguageModel
    var tracks: [Track]

    /// Runs one step with the next `count` tokens of each named track.
    mutating func step(_ parts: [(track: Int, count: Int)]) {
        var input = ForwardInput()
        for (index, count) in parts where count > 0 {
            let track = tracks[index]
            let end = track.done + count
            input.sequences.append(
                .init(rowStart: input.tokens.count, rowCount: count, slotStart: input.slots.count, length: end))
            input.slots += track.slots[..<end]
            for position in track.done..<end {
                input.logitRows.append(Int32(input.tokens.count))
                input.tokens.append(track.tokens[position])
                input.positions.append(Int32(position))
                input.writeSlots.append(track.slots[position])
            }
        }
        let size = model.config.vocabularySize
        let rows = input.logitRows.count
        let all = [Float](unsafeUninitializedCapacity: rows * size) { buffer, used in
            model.forward(input, logits: buffer.baseAddress!)
            used = rows * size
        }
        var row = 0
        for (index, count) in parts {
            for _ in 0..<count {
                tracks[index].logits[tracks[index].done] = Array(all[row * size..<(row + 1) * size])
                tracks[index].done += 1
                row += 1
            }
        }
    }

    /// Tokens of a track that are still to be computed.
    func remaining(_ track: Int) -> Int { tracks[track].tokens.count - tracks[track].done }

    /// Runs one track alone: the first `prefill` tokens in chunks, the others one by one.
    mutating func runAlone(_ track: Int, prefill: Int, chunk: Int = .max) {
        while tracks[track].done < prefill { step([(track, min(chunk, prefill - tracks[track].done))]) }
        while remaining(track) > 0 { step([(track, 1)]) }
    }
}

/// Natural logarithms of the softmax of a row, in double precision.
func logSoftmax(_ logits: [Float]) -> [Double] {
    let peak = Double(logits.max() ?? 0)
    var sum = 0.0
    for x in logits { sum += exp(Double(x) - peak) }
    let shift = peak + log(sum)
    return logits.map { Double($0) - shift }
}

/// Rows whose logits differ in any bit, so that equality is exact and NaN equals itself.
func differences(_ a: [[Float]], _ b: [[Float]]) -> [Int] {
    guard a.count == b.count else { return [-1] }
    return a.indices.filter { a[$0].map(\.bitPattern) != b[$0].map(\.bitPattern) }
}
