import Tensors

#if canImport(Glibc)
    import Glibc
#endif

/// Feed-forward block `down(f(gate(x)) * up(x))` (Shazeer 2020, arXiv:2002.05202).
struct GatedMLP: FeedForward {
    let projection: Projection
    let down: RowParallelLinear
    let function: MLPFunction

    /// How gate and up are computed: in one fused pass, or, for the few checkpoints with biases there, one product and
    /// a second pass.
    enum Projection {
        case fused(MatrixID)
        case biased(ColumnParallelLinear, size: Int)
    }

    /// Takes its tensors under the names that `names` has; the configuration's width counts where no `size` is given.
    init(
        _ scope: ModelScope, names: GatedNames = .usual, bias: Bool = false, _ function: MLPFunction = .silu,
        size: Int? = nil
    ) throws(CheckpointError) {
        let config = scope.config
        let part = try scope.plan.shard.intermediate(
            size ?? config.intermediateSize, key: "intermediate_size", modelPath: scope.plan.modelPath)
        self.function = function
        let weights = names.slices(part, prefix: scope.prefix, kind: "weight") { [$0, config.hiddenSize] }
        if bias {
            let biases = names.slices(part, prefix: scope.prefix, kind: "bias") { [$0] }
            let linear = try ColumnParallelLinear(
                scope.plan, name: scope.prefix + ".gate_up", weights: weights, biases: biases)
            projection = .biased(linear, size: part.count)
            scope.plan.reserve(.fused, floats: 2 * part.count)
        } else {
            projection = .fused(try scope.plan.matrix(scope.prefix + ".gate_up.weight", weights, kind: .gateUp))
        }
        down = try RowParallelLinear(scope.at(names.down), outputs: config.hiddenSize, columns: part, bias: bias)
        scope.plan.reserve(.gated, numbers: part.count)
    }

    /// Adds the block's output for the step's rows to the residual stream.
    func callAsFunction(
        _ x: UnsafeRawPointer, addingTo residual: UnsafeMutablePointer<Float>, _ step: borrowing Step
    ) {
        switch projection {
        case .fused(let weight):
            step.compute.gateUp(x, rows: step.rows, weights: step.weights[weight], function, into: step.gated)
        case .biased(let linear, let size):
            linear(x, into: step.fused, step)
            multiplyGates(in: step.fused, rows: step.rows, size: size, function)
            step.compute.convert(step.fused, count: step.rows * size, to: step.dtype, into: step.gated)
        }
        down(step.gated, addingTo: residual, step)
    }
}

/// Turns rows `[gate | up]` into `f(gate) * up`, moved together at the front of the buffer.
///
/// Each row's result lands at or before the row's own start, after everything there has been read.
private func multiplyGates(in buffer: UnsafeMutablePointer<Float>, rows: Int, size: Int, _ function: MLPFunction) {
    for row in 0..<rows {
        let gate = buffer + row * 2 * size
        let up = gate + size
        let out = buffer + row * size
        for i in 0..<size { out[i] = function(gate[i]) * up[i] }
    }
}

extension MLPFunction {
    /// Its value.
    func callAsFunction(_ x: Float) -> Float {
        switch self {
        case .silu: x / (1 + exp(-x))
        case .gelu: 0.5 * x * (1 + erff(x * Float(0.5).squareRoot()))
        case .geluTanh: 0.5 * x * (1 + tanhf(0.797_884_56 * (x + 0.044_715 * x * x * x)))
        case .relu: max(x, 0)
        }
    }
}

/// What the projections of a gated MLP are called.
enum GatedNames {
    /// `gate_proj`, `up_proj` and `down_proj`.
    static var usual: GatedNames { .apart(gate: "gate_proj", up: "up_proj", down: "down_proj") }

    /// Three tensors.
    case apart(gate: String, up: String, down: String)
    /// One tensor with the rows of gate and up below each other, and that of the output.
    case stacked(String, down: String)

    /// The output's projection.
    var down: String {
        switch self {
        case .apart(_, _, let down), .stacked(_, let down): down
        }
    }

    /// A rank's rows of gate and up; `shape` makes a tensor's shape of its rows.
    func slices(_ part: ShardRange, prefix: String, kind: String, shape: (Int) -> [Int]) -> [TensorSlice] {
        switch self {
        case .apart(let gate, let up, _):
            [gate, up].map { TensorSlice("\(prefix).\($0).\(kind)", shape: shape(part.total), rows: part.range) }
        case .stacked(let name, _):
            [0, part.total].map { start in
                TensorSlice(
                    "\(prefix).\(name).\(kind)", shape: shape(2 * part.total),
                    rows: start + part.range.lowerBound..<start + part.range.upperBound)
            }
        }
    }
}
