import Models
import Tensors
import Values

/// Decode steps of one kind: so many sequences, each with so many positions before the step.
struct DecodeShape: Equatable {
    let batch: Int
    let context: Int
    /// Positions at the front that all sequences have in common, as after a hit in the prefix cache.
    var shared = 0

    /// Positions, by slot, that hold keys and values before the step.
    var slots: Int { shared + batch * (context - shared) }
}

/// What will be asked of a model, so that memory is reserved for it.
struct WorkPlan {
    let prompt: Int
    let shapes: [DecodeShape]

    /// What the model must have room for.
    var limits: ForwardLimits {
        let batch = shapes.map(\.batch).max() ?? 1
        return ForwardLimits(
            rows: max(prompt, batch), logitRows: batch, sequences: batch,
            slots: shapes.map { $0.slots + $0.batch }.reduce(prompt, max),
            positions: shapes.map { $0.context + 1 }.reduce(prompt, max))
    }
}

/// A loaded model and the steps that are timed on it.
struct Subject {
    let model: any LanguageModel
    /// Bytes of keys and values of one position.
    let bytesPerPosition: Int
    private let path: String
    private let dtype: DType
    private let settings: String
    private let isRandom: Bool
    private let logits: AlignedBuffer

    /// Loads a model and fills its cache.
    init(_ path: String, options: ModelOptions, compute: Compute, plan: WorkPlan) throws {
        let loaded = try options.load(path, limits: plan.limits, compute: compute)
        model = loaded.model
        isRandom = loaded.isRandom
        bytesPerPosition = model.cacheBytesPerSlot
        logits = try AlignedBuffer.logits(rows: plan.limits.logitRows, of: model)
        self.path = path
        dtype = options.dtype
        settings = options.settings
        touchCache()
    }

    /// Bytes of packed weights that a decode step reads at least: all of them but a table of token vectors, and of experts as
    /// many as one token takes; norms, biases and padding are read too.
    var weightBytes: Int { model.report.rowBytes }

    /// Bytes that one decode step must read at least; a shared position counts once.
    func bytes(of shape: DecodeShape) -> Int { weightBytes + shape.slots * bytesPerPosition }

    /// Parameters that every prompt token is multiplied with: those of all layers, of experts as many as it takes.
    ///
    /// The output head counts for nothing, since only the last token reaches it, and neither do routers and the products of
    /// attention.
    var parametersPerToken: Int { model.report.layerParameters }

    /// Writes to every page of the cache, since pages that nobody wrote to all map to one page of zeros, which attention
    /// would then read from the processor's cache.
    ///
    /// Writes only as many slots as that takes: with keys of a position side by side a page holds several, and in any
    /// layout with smaller pieces more.
    private func touchCache() {
        let row = bytesPerPosition / (2 * model.config.layerCount)
        let slots = stride(from: 0, to: model.limits.slots, by: max(1, 4096 / row)).map { Int32($0) }
        for start in stride(from: 0, to: slots.count, by: model.limits.rows) {
            _ = time(sequence(in: Array(slots[start..<min(slots.count, start + model.limits.rows)])))
        }
    }

    /// Seconds of a prefill of `count` tokens with the logits of the last.
    func prefill(_ count: Int) -> Double { time(sequence(in: (0..<count).map { Int32($0) })) }

    /// A step that prefills one sequence, each position into the slot named for it.
    private func sequence(in slots: [Int32]) -> ForwardInput {
        var input = ForwardInput()
        for i in 0..<slots.count {
            input.tokens.append(Int32((i * 7919 + 13) % model.config.vocabularySize))
            input.positions.append(Int32(i))
        }
        input.writeSlots = slots
        input.slots = slots
        input.sequences = [.init(rowStart: 0, rowCount: slots.count, slotStart: 0, length: slots.count)]
        input.logitRows = [Int32(slots.count - 1)]
        return input
    }

    /// Seconds of each of `steps` steps of a shape, after one that does not count.
    func decode(_ shape: DecodeShape, steps: Int) -> [Double] {
        var input = ForwardInput()
        let own = shape.context + 1 - shape.shared
        for sequence in 0..<shape.batch {
            let start = shape.shared + sequence * own
            input.tokens.append(Int32((sequence + 5) % model.config.vocabularySize))
            input.positions.append(Int32(shape.context))
            input.writeSlots.append(Int32(start + own - 1))
            input.sequences.append(
                .init(rowStart: sequence, rowCount: 1, slotStart: input.slots.count, length: shape.context + 1))
            input.slots += (0..<shape.shared).map { Int32($0) } + (start..<start + own).map { Int32($0) }
            input.logitRows.append(Int32(sequence))
        }
        _ = time(input)
        return (0..<steps).map { _ in time(input) }
    }

    private func time(_ input: borrowing ForwardInput) -> Double {
        let clock = ContinuousClock()
        let start = clock.now
        model.forward(input, logits: logits.bound(to: Float.self))
        return (clock.now - start) / .seconds(1)
    }

    /// What is known of the model before anything is timed.
    func facts(_ machine: Machine) -> SubjectFacts {
        SubjectFacts(
            path: path, architecture: model.config.architecture, dtype: settings, hasRandomWeights: isRandom,
            isa: machine.compute.isa.name, threads: machine.compute.threads, weightBytes: weightBytes,
            bytesPerPosition: bytesPerPosition, parametersPerToken: parametersPerToken)
    }

    /// What is measured, in four lines.
    func heading(_ machine: Machine) -> String {
        let millions = { (count: Int) in decimal(Double(count) / 1e6, 1) }
        return """

            \(path) (\(model.config.architecture), \(settings)\(isRandom ? ", random weights" : "")), \
            \(machine.compute.isa.name), \(machine.compute.threads) threads
            decode reads \(millions(weightBytes)) MB of packed weights each step (of experts one token's; no table \
            that is only looked up in) and \(decimal(Double(bytesPerPosition) / 1e3, 1)) kB of keys and values for each position
            prefill counts \(millions(parametersPerToken)) M parameters for each token: the matrices of \
            \(model.config.layerCount) layers; no head, no attention
            """
    }
}

/// What is known of a model before anything is timed.
struct SubjectFacts {
    let path: String
    let architecture: String
    let dtype: String
    let hasRandomWeights: Bool
    let isa: String
    let threads: Int
    let weightBytes: Int
    let bytesPerPosition: Int
    let parametersPerToken: Int
}

extension AlignedBuffer {
    /// Memory for so many rows of a model's logits.
    static func logits(rows: Int, of model: any LanguageModel) throws -> AlignedBuffer {
        let byteCount = rows * model.config.vocabularySize * MemoryLayout<Float>.size
        guard let buffer = AlignedBuffer(byteCount: byteCount) else {
            throw CheckpointError.outOfMemory(purpose: "the model", byteCount: byteCount)
        }
        return buffer
    }
}
