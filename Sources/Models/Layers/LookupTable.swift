import Tensors

/// A small table whose rows are added to the residual stream: learned positions, token types.
struct LookupTable {
    let table: MatrixID
    /// Row of index 0.
    let offset: Int

    /// Takes `NAME.weight`, `[rows][hidden]`.
    init(_ scope: ModelScope, rows: Int, offset: Int = 0) throws(CheckpointError) {
        let name = scope.prefix + ".weight"
        table = try scope.plan.matrix(
            name, [TensorSlice(name, shape: [rows, scope.config.hiddenSize])], role: .lookup)
        self.offset = offset
    }

    /// Adds a row for each of the step's rows; nil stands for index 0 everywhere.
    func callAsFunction(
        _ indices: UnsafePointer<Int32>?, addingTo residual: UnsafeMutablePointer<Float>, _ step: borrowing Step
    ) {
        step.compute.embed(
            indices, count: step.rows, offset: offset, table: step.weights[table], accumulate: true, into: residual)
    }
}
