import Models
import Tensors

/// What will be asked of a model, so that memory is reserved for it.
struct WorkPlan {
    let prompt: Int
    let context: Int
    let batches: [Int]
}

/// A loaded model and the steps that are timed on it.
struct Subject {
    let model: any LanguageModel
    private let path: String
    private let dtype: DType
    private let context: Int
    private let isRandom: Bool
    private let logits: AlignedBuffer

    /// Loads a model; with `.auto` a folder without weights gets random ones.
    init(
        _ path: String, format: LoadFormat, machine: Machine, cacheDirectory: String?, plan: WorkPlan
    ) throws {
        let config = try ModelConfig.load(modelPath: path)
        let largest = plan.batches.max() ?? 1
        let limits = ForwardLimits(
            rows: max(plan.prompt, largest), logitRows: largest, sequences: largest,
            slots: max(plan.prompt, largest * (plan.context + 1)), positions: max(plan.prompt, plan.context + 1))
        isRandom = format == .dummy || (format == .auto && !Self.hasWeights(path))
        model = try loadModel(
            LoadOptions(
                modelPath: path, config: config, dtype: machine.dtype, quantization: machine.quantization,
                loadFormat: isRandom ? .dummy : format,
                cacheDirectory: isRandom ? nil : cacheDirectory, limits: limits,
                compute: machine.compute))
        guard let logits = AlignedBuffer(byteCount: largest * config.vocabularySize * MemoryLayout<Float>.size) else {
            throw CheckpointError.outOfMemory(byteCount: largest * config.vocabularySize * MemoryLayout<Float>.size)
        }
        self.logits = logits
        self.path = path
        dtype = machine.dtype
        context = plan.context
    }

    /// Whether the path holds weights of any format; other faults are for the loader to report.
    private static func hasWeights(_ path: String) -> Bool {
        do {
            _ = try openCheckpoint(path, .auto)
        } catch {
            if case .noWeights = error { return false }
        }
        return true
    }

    /// Bytes of packed weights that one decode step reads: all of them, but for the embedding table when the output
    /// head is another matrix; norms, biases and padding are read too.
    var bytesPerStep: Int {
        let config = model.config
        let table = PackedMatrix.byteCount(outputs: config.vocabularySize, inputs: config.hiddenSize, dtype: dtype)
        return model.weightsSource.byteCount - (config.tiesWordEmbeddings ? 0 : table)
    }

    /// Parameters that every prompt token is multiplied with: q, k, v, o, gate, up and down of every layer.
    ///
    /// The output head counts for nothing, since only the last token reaches it, and neither do the products of
    /// attention.
    var parametersPerToken: Int {
        let config = model.config
        let queries = config.headCount * config.headDimension
        let keyValues = 2 * config.keyValueHeadCount * config.headDimension
        let attention = config.hiddenSize * (queries + keyValues) + queries * config.hiddenSize
        return config.layerCount * (attention + 3 * config.hiddenSize * config.intermediateSize)
    }

    /// Seconds of a prefill of `count` tokens with the logits of the last.
    func prefill(_ count: Int) -> Double {
        var input = ForwardInput()
        for i in 0..<count {
            input.tokens.append(Int32((i * 7919 + 13) % model.config.vocabularySize))
            input.positions.append(Int32(i))
            input.writeSlots.append(Int32(i))
            input.slots.append(Int32(i))
        }
        input.sequences = [.init(rowStart: 0, rowCount: count, slotStart: 0, length: count)]
        input.logitRows = [Int32(count - 1)]
        return time(input)
    }

    /// Seconds of each of `steps` steps that decode `batch` sequences, after one that does not count.
    func decode(batch: Int, steps: Int) -> [Double] {
        var input = ForwardInput()
        for sequence in 0..<batch {
            let start = sequence * (context + 1)
            input.tokens.append(Int32((sequence + 5) % model.config.vocabularySize))
            input.positions.append(Int32(context))
            input.writeSlots.append(Int32(start + context))
            input.sequences.append(.init(rowStart: sequence, rowCount: 1, slotStart: start, length: context + 1))
            input.slots += (start...start + context).map { Int32($0) }
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

    /// What is measured, in three lines.
    func heading(_ machine: Machine) -> String {
        let millions = { (count: Int) in decimal(Double(count) / 1e6, 1) }
        return """

            \(path) (\(model.config.architecture), \(machine.dtype), \
            quantization \(machine.quantization.name)\(isRandom ? ", random weights" : "")), \
            \(machine.compute.isa.name), \(machine.compute.threads) threads
            decode reads \(millions(bytesPerStep)) MB of packed weights each step\
            \(model.config.tiesWordEmbeddings ? " (embedding and head are one matrix)" : " (all but the embedding table)")
            prefill counts \(millions(parametersPerToken)) M parameters for each token: q, k, v, o, gate, up, down of \
            \(model.config.layerCount) layers; no head, no attention
            """
    }
}
