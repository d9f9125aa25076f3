import Tensors

/// Feed-forward block `down(f(up(x)))` with biases, as encoders have it.
struct EncoderMLP: FeedForward {
    let up: ColumnParallelLinear
    let down: RowParallelLinear
    let function: MLPFunction

    /// Takes the tensors of the two projections by their names.
    init(_ scope: ModelScope, up: String, down: String, _ function: MLPFunction) throws(CheckpointError) {
        let config = scope.config
        let part = try scope.plan.shard.intermediate(
            config.intermediateSize, key: "intermediate_size", modelPath: scope.plan.modelPath)
        let name = scope.at(up).prefix
        self.up = try ColumnParallelLinear(
            scope.plan, name: name,
            weights: [TensorSlice(name + ".weight", shape: [part.total, config.hiddenSize], rows: part.range)],
            biases: [TensorSlice(name + ".bias", shape: [part.total], rows: part.range)])
        self.down = try RowParallelLinear(scope.at(down), outputs: config.hiddenSize, columns: part, bias: true)
        self.function = function
        scope.plan.reserve(.gated, numbers: part.count)
    }

    /// Adds the block's output for the step's rows to the residual stream.
    func callAsFunction(
        _ x: UnsafeRawPointer, addingTo residual: UnsafeMutablePointer<Float>, _ step: borrowing Step
    ) {
        up(x, function, into: step.gated, step)
        down(step.gated, addingTo: residual, step)
    }
}

extension MLPFunction {
    /// The function of that name in a configuration; throws for others.
    init(_ fields: ConfigFields, _ key: String, default usual: String) throws(CheckpointError) {
        switch try fields.string(key) ?? usual {
        case "gelu", "gelu_python": self = .gelu
        case "gelu_new", "gelu_pytorch_tanh", "gelu_fast": self = .geluTanh
        case "relu": self = .relu
        case "silu", "swish": self = .silu
        default: throw fields.error(key, "is not supported; supported: gelu, gelu_new, gelu_pytorch_tanh, relu, silu")
        }
    }
}
