import Tensors

#if canImport(Glibc)
    import Glibc
#endif

/// In what layers of experts differ.
struct ExpertShape {
    /// Experts of a layer, and how many of them a row takes.
    var count: Int
    var each: Int
    /// Elements between an expert's projections.
    var size: Int
    /// Whether the weights of the experts that a row takes add up to one.
    var normalizes: Bool
    /// The configuration's key for `size`.
    var sizeKey = "moe_intermediate_size"
    /// What the layer and its parts are called in the checkpoint.
    var names = ExpertNames()
    /// Elements of the expert that every row takes besides, behind a gate of its own; nil for none.
    var shared: Int?
}

/// What the parts of a layer of experts are called in the checkpoint.
struct ExpertNames {
    /// The router.
    var router = "gate"
    /// The projections of an expert.
    var gate = "gate_proj"
    var up = "up_proj"
    var down = "down_proj"
}

/// Mixture of experts: a router scores all experts for a row, the best few of them compute it, and their results are added
/// with the scores as weights (Shazeer et al. 2017, arXiv:1701.06538; Lepikhin et al. 2020, arXiv:2006.16668).
///
/// The router works in float32, its weights included. Every rank has a part of every expert and chooses the same ones,
/// since the residual stream has the same bits on all of them.
struct MixtureOfExperts: FeedForward {
    private let shape: ExpertShape
    private let hidden: Int
    private let routing: RoutingID
    private let router: MatrixID
    private let experts: Bank
    private let shared: (experts: Bank, gate: MatrixID)?

    /// Gated MLPs of one shape, packed one behind the other.
    private struct Bank {
        let gateUp: MatrixID
        let down: MatrixID
        let count: Int

        /// Takes the MLPs at these places; `name` is that of the first one's packed form.
        init(
            _ scopes: [ModelScope], name: String, size: Int, names: ExpertNames, key: String
        ) throws(CheckpointError) {
            let scope = scopes[0]
            let hidden = scope.config.hiddenSize
            let part = try scope.plan.shard.intermediate(size, key: key, modelPath: scope.plan.modelPath)
            count = scopes.count
            gateUp = try scope.plan.matrices(
                name + ".gate_up.weight",
                scopes.map { scope in
                    [names.gate, names.up].map {
                        TensorSlice("\(scope.prefix).\($0).weight", shape: [size, hidden], rows: part.range)
                    }
                }, kind: .gateUp)
            down = try scope.plan.matrices(
                name + ".down.weight",
                scopes.map { scope in
                    [
                        TensorSlice(
                            "\(scope.prefix).\(names.down).weight", shape: [hidden, size], columns: part.range)
                    ]
                })
        }

        /// The packed form.
        func packed(_ step: borrowing Step) -> PackedExperts {
            PackedExperts(gateUp: step.weights[gateUp], down: step.weights[down], count: count)
        }
    }

    /// Takes the router, the experts, and where there is one the shared expert with its gate.
    init(_ scope: ModelScope, _ shape: ExpertShape, layer: Int) throws(CheckpointError) {
        let plan = scope.plan
        self.shape = shape
        hidden = scope.config.hiddenSize
        guard max(hidden, shape.size, shape.shared ?? 0) <= PackedExperts.mostInputs else {
            throw .badConfig(
                file: plan.modelPath, key: "hidden_size",
                reason: "experts with more than \(PackedExperts.mostInputs) inputs are not supported")
        }
        router = try Self.scorer(scope.at(shape.names.router), outputs: shape.count)
        experts = try Bank(
            (0..<shape.count).map { scope.at("experts.\($0)") }, name: scope.prefix + ".experts", size: shape.size,
            names: shape.names, key: shape.sizeKey)
        if let size = shape.shared {
            let place = scope.at("shared_expert")
            shared = (
                try Bank(
                    [place], name: place.prefix, size: size, names: shape.names,
                    key: "shared_expert_intermediate_size"),
                try Self.scorer(scope.at("shared_expert_gate"), outputs: 1)
            )
        } else {
            shared = nil
        }
        routing = plan.routing(RoutingShape(layer: layer, experts: shape.count, each: shape.each))
        plan.reserve(.fused, floats: hidden + shape.count + shape.each + 2)
        plan.reserve(.gated, numbers: max(shape.each * shape.size, shape.shared ?? 0))
    }

    /// A matrix that scores rows, in float32.
    private static func scorer(_ scope: ModelScope, outputs: Int) throws(CheckpointError) -> MatrixID {
        let name = scope.prefix + ".weight"
        return try scope.plan.matrix(
            name, [TensorSlice(name, shape: [outputs, scope.config.hiddenSize])], role: .router)
    }

    func callAsFunction(
        _ x: UnsafeRawPointer, addingTo residual: UnsafeMutablePointer<Float>, _ step: borrowing Step
    ) {
        let choice = choose(x, step)
        guard let group = step.group else { return mix(x, 0..<step.rows, choice, into: residual, step) }
        let block = group.slotCount / hidden
        for first in stride(from: 0, to: step.rows, by: block) {
            let rows = first..<min(step.rows, first + block)
            group.ownSlot.update(repeating: 0, count: rows.count * hidden)
            mix(x, rows, choice, into: group.ownSlot, step)
            step.compute.addSlots(of: group, count: rows.count * hidden, to: residual + first * hidden)
        }
    }

    /// Which experts the rows take, and with which weights.
    private struct Choice {
        let experts: UnsafePointer<Int32>
        let weights: UnsafePointer<Float>
        /// Of the shared expert, whose number is 0 for every row.
        let sharedWeights: UnsafePointer<Float>
        let sharedExpert: UnsafePointer<Int32>
    }

    /// Scores the experts and chooses the best; everything lies in the memory of fused projections.
    private func choose(_ x: UnsafeRawPointer, _ step: borrowing Step) -> Choice {
        let (rows, compute) = (step.rows, step.compute)
        let scores = step.fused + rows * hidden
        let weights = scores + rows * shape.count
        let sharedWeights = weights + rows * shape.each
        let sharedExpert = UnsafeMutableRawPointer(sharedWeights + rows).assumingMemoryBound(to: Int32.self)
        var input = x
        if step.dtype != .float32 {
            compute.convert(x, from: step.dtype, count: rows * hidden, into: step.fused)
            input = UnsafeRawPointer(step.fused)
        }
        compute.matmul(input, rows: rows, weights: step.weights[router], into: scores)
        compute.softmax(scores, rows: rows, size: shape.count, into: scores)
        let chosen = step.chosenExperts(routing)
        compute.chooseExperts(
            scores, rows: rows, experts: shape.count, each: shape.each, normalizes: shape.normalizes, into: chosen,
            weights: weights)
        if let shared {
            compute.matmul(input, rows: rows, weights: step.weights[shared.gate], into: sharedWeights)
            for row in 0..<rows { sharedWeights[row] = 1 / (1 + exp(-sharedWeights[row])) }
            sharedExpert.update(repeating: 0, count: rows)
        }
        return Choice(
            experts: chosen, weights: weights, sharedWeights: sharedWeights, sharedExpert: sharedExpert)
    }

    /// Adds what the experts make of some rows to `out`, whose first row is the first of them.
    private func mix(
        _ x: UnsafeRawPointer, _ rows: Range<Int>, _ choice: Choice, into out: UnsafeMutablePointer<Float>,
        _ step: borrowing Step
    ) {
        let first = rows.lowerBound
        let x = x + first * hidden * step.dtype.size
        step.compute.mixExperts(
            x, rows: rows.count, experts: experts.packed(step), chosen: choice.experts + first * shape.each,
            weights: choice.weights + first * shape.each, each: shape.each, gated: step.gated, addingTo: out)
        guard let shared else { return }
        step.compute.mixExperts(
            x, rows: rows.count, experts: shared.experts.packed(step), chosen: choice.sharedExpert + first,
            weights: choice.sharedWeights + first, each: 1, gated: step.gated, addingTo: out)
    }
}
