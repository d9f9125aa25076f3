/// A place in the checkpoint's tree of names, and the plan that takes note of what a network wants there.
struct ModelScope {
    let plan: ModelPlan
    /// Dotted path without the final `.weight` or `.bias`; empty at the root.
    let prefix: String

    /// What the checkpoint says about the network.
    var config: ModelConfig { plan.config }

    /// A place further in.
    func at(_ name: String) -> ModelScope {
        ModelScope(plan: plan, prefix: prefix.isEmpty ? name : prefix + "." + name)
    }

    /// Builds one layer for each `NAME.0`, `NAME.1`, … up to the configured layer count.
    func layers<Layer>(
        _ name: String, _ make: (ModelScope, Int) throws(CheckpointError) -> Layer
    ) throws(CheckpointError) -> [Layer] {
        var layers: [Layer] = []
        for index in 0..<config.layerCount { layers.append(try make(at("\(name).\(index)"), index)) }
        return layers
    }
}

/// A rectangle of a checkpoint tensor: some rows and, of those, some columns.
struct TensorSlice {
    let name: String
    /// Shape of the whole tensor: `[rows][columns]`, or `[rows]` for a vector.
    let shape: [Int]
    let rows: Range<Int>
    let columns: Range<Int>
    /// From one row that is taken to the next, where not all between the first and the last are.
    var step = 1
    /// How many rows are taken.
    var height: Int { (rows.count + step - 1) / step }
    /// Shape that the tensor has in the file, where it stacks several matrices; nil where it is `shape`.
    var stored: [Int]?

    /// The tensor's rows behind some of the slice's, in runs of neighbours.
    func tensorRows(_ own: Range<Int>) -> [Range<Int>] {
        if step == 1 { return [rows.lowerBound + own.lowerBound..<rows.lowerBound + own.upperBound] }
        return own.map { rows.lowerBound + $0 * step..<rows.lowerBound + $0 * step + 1 }
    }

    /// Describes a rectangle; without ranges it is the whole tensor.
    init(_ name: String, shape: [Int], rows: Range<Int>? = nil, columns: Range<Int>? = nil) {
        self.name = name
        self.shape = shape
        self.rows = rows ?? 0..<shape[0]
        self.columns = columns ?? 0..<(shape.count > 1 ? shape[1] : 1)
    }
}

/// A matrix in the weight store, by the order in which it was planned.
struct MatrixID: Equatable { let index: Int }

/// A float32 vector in the weight store, by its place among all vectors; nil stands for one that another rank holds.
struct VectorID: Equatable { let offset: Int? }
