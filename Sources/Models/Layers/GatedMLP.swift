import Tensors

#if canImport(Glibc)
    import Glibc
#endif

/// Feed-forward block `down(silu(gate(x)) * up(x))` (Shazeer 2020, arXiv:2002.05202).
struct GatedMLP {
    let projection: Projection
    let down: RowParallelLinear

    /// How gate and up are computed: in one fused pass, or, for the few checkpoints with biases there, one product and
    /// a second pass.
    enum Projection {
        case fused(MatrixID)
        case biased(ColumnParallelLinear, size: Int)
    }

    /// Takes `gate_proj`, `up_proj` and `down_proj`.
    init(_ scope: ModelScope, bias: Bool = false) throws(CheckpointError) {
        let config = scope.config
        let part = scope.plan.shard.intermediate
        let names = ["gate_proj", "up_proj"].map { "\(scope.prefix).\($0)" }
        let weights = names.map {
            TensorSlice($0 + ".weight", shape: [part.total, config.hiddenSize], rows: part.range)
        }
        if bias {
            let biases = names.map { TensorSlice($0 + ".bias", shape: [part.total], rows: part.range) }
            let linear = try ColumnParallelLinear(
                scope.plan, name: scope.prefix + ".gate_up", weights: weights, biases: biases)
            projection = .biased(linear, size: part.count)
            scope.plan.reserve(.fused, floats: 2 * part.count)
        } else {
            projection = .fused(try scope.plan.matrix(scope.prefix + ".gate_up.weight", weights, kind: .gateUp))
        }
        down = try RowParallelLinear(scope.at("down_proj"), outputs: config.hiddenSize, columns: part, bias: bias)
        scope.plan.reserve(.gated, numbers: part.count)
    }

    /// Adds the block's output for the step's rows to the residual stream.
    func callAsFunction(
        _ x: UnsafeRawPointer, addingTo residual: UnsafeMutablePointer<Float>, _ step: borrowing Step
    ) {
        switch projection {
        case .fused(let weight):
            step.compute.gateUp(x, rows: step.rows, weights: step.weights[weight], into: step.gated)
        case .biased(let linear, let size):
            linear(x, into: step.fused, step)
            multiplyGates(in: step.fused, rows: step.rows, size: size)
            step.compute.convert(step.fused, count: step.rows * size, to: step.dtype, into: step.gated)
        }
        down(step.gated, addingTo: residual, step)
    }
}

/// Turns rows `[gate | up]` into `silu(gate) * up`, moved together at the front of the buffer.
///
/// Each row's result lands at or before the row's own start, after everything there has been read.
private func multiplyGates(in buffer: UnsafeMutablePointer<Float>, rows: Int, size: Int) {
    for row in 0..<rows {
        let gate = buffer + row * 2 * size
        let up = gate + size
        let out = buffer + row * size
        for i in 0..<size { out[i] = gate[i] / (1 + exp(-gate[i])) * up[i] }
    }
}
