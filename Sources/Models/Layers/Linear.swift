import Tensors

/// A projection split by its outputs: each rank computes its own rows of the weight matrix from the whole input.
///
/// Several checkpoint tensors may be stacked into one product (queries, keys and values).
struct ColumnParallelLinear {
    /// The matrices and which outputs they give; one, unless the tensors are stored in different bits.
    private let parts: [(weight: MatrixID, outputs: Range<Int>)]
    private let bias: VectorID?
    private let width: Int

    /// Stacks the given slices into one matrix; `biases`, when not empty, are stacked the same way.
    init(
        _ plan: ModelPlan, name: String, weights: [TensorSlice], biases: [TensorSlice] = []
    ) throws(CheckpointError) {
        var parts: [(weight: MatrixID, outputs: Range<Int>)] = []
        var end = 0
        for (index, run) in try plan.runs(of: weights).enumerated() {
            let count = run.reduce(0) { $0 + $1.height }
            let suffix = index == 0 ? ".weight" : ".weight.\(index)"
            parts.append((try plan.matrix(name + suffix, run), end..<end + count))
            end += count
        }
        self.parts = parts
        width = end
        bias = biases.isEmpty ? nil : try plan.vector(name + ".bias", biases)
    }

    /// Computes `out = x · Wᵀ + bias` for the step's rows; `x` in the model dtype, `out` float32.
    func callAsFunction(_ x: UnsafeRawPointer, into out: UnsafeMutablePointer<Float>, _ step: borrowing Step) {
        let biases = step.weights[bias]
        for part in parts {
            step.compute.matmul(
                x, rows: step.rows, weights: step.weights[part.weight],
                bias: biases.map { $0 + part.outputs.lowerBound },
                into: out + part.outputs.lowerBound, stride: width)
        }
    }

    /// Computes `out = f(x · Wᵀ + bias)` in the model dtype, of one tensor.
    func callAsFunction(
        _ x: UnsafeRawPointer, _ function: MLPFunction, into out: UnsafeMutableRawPointer, _ step: borrowing Step
    ) {
        precondition(parts.count == 1, "results of several matrices do not lie side by side")
        step.compute.activatedMatmul(
            x, rows: step.rows, weights: step.weights[parts[0].weight], bias: step.weights[bias], function, into: out)
    }
}

/// A projection split by its inputs: each rank has its columns of the weight matrix, and the products are summed over
/// ranks.
struct RowParallelLinear {
    let weight: MatrixID
    let bias: VectorID?

    /// Takes this rank's columns of the tensor, and the bias on one rank alone so that the sum holds it once.
    init(_ scope: ModelScope, outputs: Int, columns: ShardRange, bias hasBias: Bool) throws(CheckpointError) {
        weight = try scope.plan.matrix(
            scope.prefix + ".weight",
            [
                TensorSlice(scope.prefix + ".weight", shape: [outputs, columns.total], columns: columns.range)
            ])
        let slice = TensorSlice(scope.prefix + ".bias", shape: [outputs])
        let isFirst = scope.plan.shard.rank.index == 0
        bias = hasBias ? try scope.plan.vector(scope.prefix + ".bias", [slice], isKept: isFirst) : nil
    }

    /// Adds `x · Wᵀ + bias` to the residual stream, for the step's rows.
    func callAsFunction(_ x: UnsafeRawPointer, addingTo residual: UnsafeMutablePointer<Float>, _ step: borrowing Step) {
        let matrix = step.weights[weight]
        guard let group = step.group else {
            step.compute.matmul(
                x, rows: step.rows, weights: matrix, bias: step.weights[bias], accumulate: true, into: residual)
            return
        }
        // The parts of the sum meet in the ranks' slots, as many rows at a time as a slot holds.
        let block = group.slotCount / matrix.outputs
        for first in stride(from: 0, to: step.rows, by: block) {
            let rows = min(block, step.rows - first)
            step.compute.matmul(
                x + first * matrix.inputs * matrix.dtype.size, rows: rows, weights: matrix, bias: step.weights[bias],
                into: group.ownSlot)
            step.compute.addSlots(of: group, count: rows * matrix.outputs, to: residual + first * matrix.outputs)
        }
    }
}
