/// One step's work for a model: rows of tokens from any mixture of prefill chunks and decoding sequences.
///
/// A row is one token at one position. Rows of a sequence are consecutive and in position order; the step writes each
/// row's key and value to its slot before any row attends, so a sequence's slot list includes this step's rows.
package struct ForwardInput: Sendable, Equatable {
    /// Rows `rowStart ..< rowStart + rowCount` of the step, the last `rowCount` of the sequence's `length` positions.
    package struct Sequence: Sendable, Equatable, BitwiseCopyable {
        /// First row of the sequence in the step.
        package var rowStart: Int
        /// Rows of the sequence in the step, at least one.
        package var rowCount: Int
        /// Where the sequence's slots start in `slots`.
        package var slotStart: Int
        /// Positions `0 ..< length`, this step's rows included.
        package var length: Int

        /// Describes a sequence.
        package init(rowStart: Int, rowCount: Int, slotStart: Int, length: Int) {
            self.rowStart = rowStart
            self.rowCount = rowCount
            self.slotStart = slotStart
            self.length = length
        }
    }

    /// Token id of each row.
    package var tokens: [Int32] = []
    /// Position of each row in its sequence.
    package var positions: [Int32] = []
    /// Cache slot that takes each row's key and value.
    package var writeSlots: [Int32] = []
    /// The sequences of the step, together covering every row once.
    package var sequences: [Sequence] = []
    /// Slots of all sequences, each sequence's in position order.
    package var slots: [Int32] = []
    /// The same in the layers with a window, whose caches have slots of their own; empty where they have the others' slots.
    package var windowWriteSlots: [Int32] = []
    /// As many as `slots`; 0 for positions that no row of the step sees through the window.
    package var windowSlots: [Int32] = []
    /// Rows whose answers will be asked for, ascending: those whose logits are wanted, or the last row of each sequence whose
    /// vector or score is.
    package var logitRows: [Int32] = []
    /// Kind of each row's token, for encoders that tell the two texts of a pair apart; empty stands for all 0. A network with one
    /// kind of token passes them over.
    package var tokenTypes: [Int32] = []
    /// How many of a text's first rows pooling passes over, one for each of `logitRows` and fewer than the text has; empty: none.
    package var leadingRows: [Int32] = []
    /// Every row goes through the last layer to its end, so that the experts of each are known; no bit of an answer
    /// depends on it.
    package var keepsEveryRow = false

    /// Rows, ascending, whose token vectors stand in `vectors` instead of the model's table.
    package var vectorRows: [Int32] = []
    /// As many vectors of the hidden size, one behind the other.
    package var vectors: [Float] = []

    /// An empty step.
    package init() {}

    /// Empties the step and keeps its memory, so that the next step allocates nothing.
    package mutating func removeAll() {
        tokens.removeAll(keepingCapacity: true)
        positions.removeAll(keepingCapacity: true)
        writeSlots.removeAll(keepingCapacity: true)
        sequences.removeAll(keepingCapacity: true)
        slots.removeAll(keepingCapacity: true)
        windowWriteSlots.removeAll(keepingCapacity: true)
        windowSlots.removeAll(keepingCapacity: true)
        logitRows.removeAll(keepingCapacity: true)
        vectorRows.removeAll(keepingCapacity: true)
        vectors.removeAll(keepingCapacity: true)
        tokenTypes.removeAll(keepingCapacity: true)
        leadingRows.removeAll(keepingCapacity: true)
        keepsEveryRow = false
    }
}

/// How much one step may hold; memory for it is reserved when the model is loaded.
package struct ForwardLimits: Sendable, Equatable {
    /// Rows of a step, prefill and decode together.
    package var rows: Int
    /// Rows of logits one call of `logits` may compute.
    package var logitRows: Int
    /// Sequences of a step.
    package var sequences: Int
    /// Cache slots; a slot number is below this.
    package var slots: Int
    /// Slots of the layers with a window, where they have their own.
    package var windowSlots: Int?
    /// Positions; a position is below this.
    package var positions: Int

    /// States the limits.
    package init(rows: Int, logitRows: Int, sequences: Int, slots: Int, windowSlots: Int? = nil, positions: Int) {
        self.rows = rows
        self.logitRows = logitRows
        self.sequences = sequences
        self.slots = slots
        self.windowSlots = windowSlots
        self.positions = positions
    }
}

/// A loaded network that predicts the next token or turns texts into vectors or scores; it owns its weights, its key-value
/// cache and its scratch memory.
///
/// For a dtype and an instruction set level a row's logits have the same bits whatever else is in the step, wherever
/// chunks end and whether earlier positions were computed in this step or long ago. One thread at a time may use a
/// model.
package protocol LanguageModel: AnyObject {
    /// What the checkpoint says about the network.
    var config: ModelConfig { get }
    /// What it is for, and what its answers are.
    var task: ModelTask { get }
    /// How much one step may hold.
    var limits: ForwardLimits { get }
    /// What loading its present weights found.
    var report: LoadReport { get }
    /// The cache file that the present weights lie in; nil when there is none.
    var weightFile: String? { get }
    /// Bytes of keys, values and scales of one cache slot over all layers of this rank.
    var cacheBytesPerSlot: Int { get }
    /// What its layers choose from; nil for a network without experts.
    var experts: ExpertTraits? { get }

    /// Runs a step, the same one on all ranks at the same time: writes keys and values, and keeps the last hidden state
    /// of every row of `logitRows` (any number of them).
    ///
    /// Allocates nothing. Traps when the input contradicts itself or exceeds `limits`: the caller plans within them.
    func forward(_ input: borrowing ForwardInput)

    /// Computes logits, vectors or scores of the entries `range` of the last step's `logitRows`: `[range.count][task.width]`
    /// float32.
    ///
    /// At most `limits.logitRows` at once, so prompt logprobs of thousands of rows need memory for one block only.
    /// With several ranks rank 0 calls this, and every other rank `shareLogits` with the same range.
    func logits(_ range: Range<Int>, into logits: UnsafeMutablePointer<Float>)

    /// The hidden states behind the last norm of the entries `range` of the last step's `logitRows`, as float32:
    /// `[range.count][config.hiddenSize]`. Every rank has them.
    func hiddenStates(_ range: Range<Int>, into states: UnsafeMutablePointer<Float>)

    /// The experts that the last step's rows took in a layer, `[rows][each]`, the best first; empty for a layer without
    /// experts, and behind a step that did not keep every row. Valid until the next step.
    func chosenExperts(inLayer layer: Int) -> UnsafeBufferPointer<Int32>

    /// What ranks other than 0 do while rank 0 computes logits: they compute theirs and hand them over.
    func shareLogits(_ range: Range<Int>)

    /// Throws what `exchangeWeights` would, and changes nothing.
    func check(_ weights: PreparedWeights) throws(CheckpointError)

    /// Goes on with other weights of the same network, between two steps; the old ones' memory is given back.
    ///
    /// Throws, and changes nothing, when they are not laid out as the present ones. What the cache holds was computed with
    /// the old ones: to forget it is the caller's part.
    func exchangeWeights(_ weights: PreparedWeights) throws(CheckpointError)

    /// Gives the weights' memory back to the system; no step may run until `exchangeWeights` brings them again.
    func releaseWeights()

    /// A checksum over the packed weights, to be computed on any thread while the model computes; nil while they have no
    /// memory.
    func weightChecksum() -> (@Sendable () -> UInt64)?

    /// Gives the cache's memory back to the system, with all it holds; no step may run until `reserveCache`.
    func releaseCache()

    /// Takes zeroed memory for the cache again; throws when the system has none.
    func reserveCache() throws(CheckpointError)

    /// Up to `rows` first rows, as float32, of a tensor by its name in a Hugging Face checkpoint, read again from the
    /// files that the present weights were loaded from; nil when the network has no tensor of that name.
    ///
    /// The whole tensor whatever part of it this rank has, before any rounding. Throws when the files have changed.
    func weight(named name: String, rows: Int) throws(CheckpointError) -> WeightRows?
}

extension LanguageModel {
    /// None.
    package var experts: ExpertTraits? { nil }

    /// None.
    package func chosenExperts(inLayer layer: Int) -> UnsafeBufferPointer<Int32> {
        UnsafeBufferPointer(start: nil, count: 0)
    }

    /// Runs a step and computes the logits of all its `logitRows`, at most `limits.logitRows` of them.
    package func forward(_ input: borrowing ForwardInput, logits: UnsafeMutablePointer<Float>) {
        forward(input)
        self.logits(0..<input.logitRows.count, into: logits)
    }
}
