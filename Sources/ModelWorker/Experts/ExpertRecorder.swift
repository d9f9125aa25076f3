package import Models
package import ServerSettings

/// Records which experts the rows of the model's passes take: a value, told of each pass.
///
/// All ranks choose the same experts, so rank 0 alone records, and its counts are true ones.
package struct ExpertRecorder: Sendable {
    /// What is kept.
    package let mode: ServerSettings.ExpertRecorderMode
    /// What rows choose from.
    package let traits: ExpertTraits
    /// Most passes that are kept; nil: all.
    package let capacity: Int?
    /// Passes are recorded now.
    package private(set) var isRecording = false
    private var passes: [ExpertPass] = []
    /// Where the next pass goes once `passes` is full.
    private var next = 0

    /// A recorder that has nothing and records nothing yet.
    package init(_ mode: ServerSettings.ExpertRecorderMode, _ traits: ExpertTraits, capacity: Int?) {
        self.mode = mode
        self.traits = traits
        self.capacity = capacity
    }

    /// Forgets everything and records from now on.
    package mutating func start() {
        reset()
        isRecording = true
    }

    /// Records from now on, behind what there is.
    package mutating func resume() { isRecording = true }

    /// Records no more, and keeps what there is.
    package mutating func stop() { isRecording = false }

    /// Hands out what was recorded and forgets it; whether it records stays as it was.
    package mutating func dump() -> ExpertRecord {
        let oldest = passes.count == capacity ? next : 0
        let record = ExpertRecord(
            mode: mode, traits: traits, capacity: capacity, passes: Array(passes[oldest...] + passes[..<oldest]))
        reset()
        return record
    }

    /// Takes back what was handed out and found no place, behind nothing newer.
    package mutating func takeBack(_ record: ExpertRecord) {
        if passes.isEmpty { passes = record.passes }
    }

    private mutating func reset() {
        passes = []
        next = 0
    }

    /// Takes down a pass whose rows all went through every layer; `chosen` gives their experts by layer.
    package mutating func note(
        _ input: borrowing ForwardInput, pass: UInt64, chosen: (Int) -> UnsafeBufferPointer<Int32>
    ) {
        guard isRecording, capacity != 0 else { return }
        var counts = [Int32](repeating: 0, count: traits.layers * traits.count)
        for layer in 0..<traits.layers {
            for expert in chosen(layer) { counts[layer * traits.count + Int(expert)] += 1 }
        }
        let tokens = mode == .perToken ? ExpertPass.Tokens(input, traits, chosen) : nil
        keep(ExpertPass(number: pass, counts: counts, tokens: tokens))
    }

    private mutating func keep(_ pass: ExpertPass) {
        guard let capacity, passes.count >= capacity else { return passes.append(pass) }
        passes[next] = pass
        next = (next + 1) % capacity
    }
}

/// What was recorded of one pass of the model.
package struct ExpertPass: Sendable, Equatable {
    /// The tokens of a pass and what each chose.
    package struct Tokens: Sendable, Equatable {
        package let ids: [Int32]
        package let positions: [Int32]
        /// Rows of each sequence; nil where each has one.
        package let lengths: [Int]?
        /// SGLang's number of the kind of pass: 1 with prompts only, 2 with decoding requests only, 3 with both.
        package let mode: Int
        /// `[layers][tokens][each]`; -1 in layers without experts.
        package let chosen: [Int32]

        /// Takes them from a step.
        init(_ input: borrowing ForwardInput, _ traits: ExpertTraits, _ chosen: (Int) -> UnsafeBufferPointer<Int32>) {
            ids = input.tokens
            positions = input.positions
            let sequences = input.sequences
            let decoding = sequences.count { $0.rowCount == 1 && $0.length > 1 }
            mode = decoding == sequences.count ? 2 : decoding == 0 ? 1 : 3
            lengths = mode == 2 ? nil : sequences.map(\.rowCount)
            var all: [Int32] = []
            let size = input.tokens.count * traits.each
            for layer in 0..<traits.layers {
                let rows = chosen(layer)
                if rows.isEmpty { all.append(contentsOf: repeatElement(-1, count: size)) } else { all += rows }
            }
            self.chosen = all
        }
    }

    /// Number of the pass, from 1.
    package let number: UInt64
    /// `[layers][experts]`.
    package let counts: [Int32]
    /// The tokens, where each is recorded.
    package let tokens: Tokens?
}

/// What a recorder kept, the oldest pass first.
package struct ExpertRecord: Sendable, Equatable {
    /// What was kept.
    package let mode: ServerSettings.ExpertRecorderMode
    /// What rows chose from.
    package let traits: ExpertTraits
    /// Most passes that were kept; nil: all.
    package let capacity: Int?
    /// The passes.
    package let passes: [ExpertPass]
}
