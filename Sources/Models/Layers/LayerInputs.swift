import Tensors

/// Vectors that each token gives to each layer: from a table of their own, and from what the token brings to the first layer.
struct LayerInputs {
    private let table: VocabEmbedding
    private let projection: MatrixID
    private let norm: VectorID
    private let tableScale: Float
    private let hidden: Int
    private let epsilon: Float
    /// Numbers for one layer, and for all.
    let size: Int
    private let width: Int

    /// Takes the table, the projection and its norm; every rank has all of the last two.
    init(_ scope: ModelScope, size: Int) throws(CheckpointError) {
        let (plan, config) = (scope.plan, scope.config)
        self.size = size
        width = size * config.layerCount
        hidden = config.hiddenSize
        epsilon = config.normEpsilon
        tableScale = plan.dtype.rounded(Float(Double(size).squareRoot()))
        table = try VocabEmbedding(scope.at("embed_tokens_per_layer"), width: width)
        let name = scope.at("per_layer_model_projection").prefix + ".weight"
        projection = try plan.matrix(name, [TensorSlice(name, shape: [width, hidden])])
        let normName = scope.at("per_layer_projection_norm").prefix + ".weight"
        norm = try plan.vector(normName, [TensorSlice(normName, shape: [size])])
        plan.reserve(.fused, floats: width)
        plan.reserve(.normed, numbers: hidden)
        plan.reserve(.layerInputs, floats: width)
    }

    /// Computes those of the step's rows, whose vectors stand in the residual stream; rows that came as vectors give what their
    /// place-holding token does.
    func callAsFunction(_ step: borrowing Step) {
        let (rows, compute) = (step.rows, step.compute)
        table.lookUp(step.tokens, into: step.layerInputs, scale: tableScale, step)
        step.convertResidual()
        compute.matmul(step.normed, rows: rows, weights: step.weights[projection], into: step.fused)
        compute.cap(step.fused, count: rows * width, scale: 1 / Float(hidden).squareRoot(), cap: nil)
        compute.rmsNorm(
            step.fused, rows: rows * width / size, size: size, weight: step.weights[norm]!, epsilon: epsilon,
            dtype: .float32, into: step.fused)
        compute.add(step.fused, count: rows * width, to: step.layerInputs)
        compute.cap(step.layerInputs, count: rows * width, scale: Float(0.5).squareRoot(), cap: nil)
    }
}

/// A layer's last block: the residual stream's own gate on what the tokens give to the layer.
struct LayerInputGate {
    private let gate: ColumnParallelLinear
    private let projection: RowParallelLinear
    private let norm: RMSNorm
    private let function: MLPFunction
    private let part: ShardRange
    /// Where the layer's numbers begin in a row's, and how long those are.
    private let start: Int
    private let width: Int

    /// Takes the gate, the projection and the norm of a layer.
    init(
        _ scope: ModelScope, layer: Int, size: Int, _ function: MLPFunction
    ) throws(CheckpointError) {
        let (plan, hidden) = (scope.plan, scope.config.hiddenSize)
        self.function = function
        part = try plan.shard.intermediate(size, key: "hidden_size_per_layer_input", modelPath: plan.modelPath)
        start = layer * size + part.range.lowerBound
        width = size * scope.config.layerCount
        let name = scope.at("per_layer_input_gate").prefix
        gate = try ColumnParallelLinear(
            plan, name: name, weights: [TensorSlice(name + ".weight", shape: [size, hidden], rows: part.range)])
        projection = try RowParallelLinear(
            scope.at("per_layer_projection"), outputs: hidden, columns: part, bias: false)
        norm = try RMSNorm(scope.at("post_per_layer_input_norm"))
        plan.reserve(.fused, floats: part.count)
        plan.reserve(.gated, numbers: part.count)
    }

    /// Adds the block's output for the step's rows to the residual stream.
    func callAsFunction(_ step: borrowing Step) {
        step.convertResidual()
        gate(step.normed, into: step.fused, step)
        for row in 0..<step.rows {
            let given = step.layerInputs + step.firstRow(of: row) * width + start
            let gates = step.fused + row * part.count
            for i in 0..<part.count { gates[i] = function(gates[i]) * given[i] }
        }
        step.compute.convert(step.fused, count: step.rows * part.count, to: step.dtype, into: step.gated)
        step.addBranch(norm) { branch, step in projection(step.gated, addingTo: branch, step) }
    }
}
