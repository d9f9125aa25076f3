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
    /// The tensors that stack all experts' gate and up, and their down; nil where each expert has tensors of its own.
    var stacks: ExpertStacks?
    /// Whether the experts' projections have biases.
    var hasBiases = false
    /// Whether their gates are clamped as in gpt-oss.
    var clampsGates = false
    /// The function on gates that are not clamped.
    var function = MLPFunction.silu
    /// How the router scores experts, and what decides beside the scores.
    var scoring = ExpertScoring()
    /// Elements of the expert that every row takes besides; nil for none.
    var shared: Int?
    /// Whether that stands behind a gate of its own.
    var sharedHasGate = true
}

/// Tensors that stack the experts of a layer.
struct ExpertStacks {
    /// `[experts][2 * size][hidden]`, and `[experts][hidden][size]`.
    var gateUp: String
    var down: String
    /// Their biases, without the first or the last dimension.
    var biases: (gateUp: String, down: String)?
    /// Whether rows of gate and up take turns, instead of all gates coming first.
    var takesTurns = false
}

/// How a router scores experts.
struct ExpertScoring {
    /// Whether each score is a sigmoid by itself, instead of a softmax over all.
    var isSigmoid = false
    /// The tensor with a number for each expert that is added before scores become probabilities; nil for none.
    var logitBias: String?
    /// The tensor with a number for each expert that counts in the choice and not in the weights; nil for none.
    var choiceBias: String?
    /// Factor on the weights.
    var factor: Float = 1
    /// Factor on the router's products.
    var logitFactor: Float = 1
    /// The tensor with a factor for each expert on its weight; nil for none.
    var expertFactors: String?
}

/// What the parts of a layer of experts are called in the checkpoint.
struct ExpertNames {
    /// The router.
    var router = "gate"
    /// The projections of an expert.
    var gate = "gate_proj"
    var up = "up_proj"
    var down = "down_proj"
    /// The expert that every row takes.
    var shared = "shared_expert"
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
    private let biases: (logits: VectorID?, choice: VectorID?)
    private let factors: VectorID?
    private let shared: (experts: Bank, gate: MatrixID?)?

    /// Gated MLPs of one shape, packed one behind the other.
    private struct Bank {
        let gateUp: MatrixID
        let down: MatrixID
        let count: Int
        let gateUpBias: MatrixID?
        let downBias: MatrixID?
        /// The bias of down is added once, on the first rank.
        let isFirstRank: Bool

        /// Takes the MLPs at these places; `name` is that of the first one's packed form.
        init(
            _ scopes: [ModelScope], name: String, size: Int, names: ExpertNames, key: String, hasBiases: Bool = false
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
            isFirstRank = scope.plan.shard.rank.index == 0
            guard hasBiases else {
                (gateUpBias, downBias) = (nil, nil)
                return
            }
            func bias(_ place: ModelScope, _ projection: String, _ height: Int, _ rows: Range<Int>?) -> TensorSlice {
                var slice = TensorSlice("\(place.prefix).\(projection).bias", shape: [height, 1], rows: rows)
                slice.stored = [height]
                return slice
            }
            gateUpBias = try scope.plan.matrices(
                name + ".gate_up.bias",
                scopes.map { place in [names.gate, names.up].map { bias(place, $0, size, part.range) } },
                kind: .gateUp, role: .router)
            downBias = try scope.plan.matrices(
                name + ".down.bias", scopes.map { [bias($0, names.down, hidden, nil)] }, role: .router)
        }

        /// Takes MLPs that two tensors stack.
        init(
            _ scope: ModelScope, stacks: ExpertStacks, count: Int, size: Int, key: String
        ) throws(CheckpointError) {
            let plan = scope.plan, hidden = scope.config.hiddenSize
            let part = try plan.shard.intermediate(size, key: key, modelPath: plan.modelPath)
            self.count = count
            func slice(
                _ name: String, _ height: Int, _ width: Int, rows: Range<Int>, columns: Range<Int>? = nil
            ) -> TensorSlice {
                var slice = TensorSlice(name, shape: [count * height, width], rows: rows, columns: columns)
                slice.stored = width == 1 ? [count, height] : [count, height, width]
                return slice
            }
            func gatesAndUps(_ name: String, width: Int) -> [[TensorSlice]] {
                (0..<count).map { expert in
                    (0..<2).map { kind in
                        let first = expert * 2 * size
                        guard stacks.takesTurns else {
                            let start = first + kind * size
                            return slice(
                                name, 2 * size, width,
                                rows: start + part.range.lowerBound..<start + part.range.upperBound)
                        }
                        var own = slice(
                            name, 2 * size, width,
                            rows: first + kind + 2 * part.range.lowerBound..<first + kind + 2 * part.range.upperBound
                                - 1)
                        own.step = 2
                        return own
                    }
                }
            }
            func downs(_ name: String, width: Int, columns: Range<Int>?) -> [[TensorSlice]] {
                (0..<count).map { expert in
                    [slice(name, hidden, width, rows: expert * hidden..<(expert + 1) * hidden, columns: columns)]
                }
            }
            let names = (scope.at(stacks.gateUp).prefix, scope.at(stacks.down).prefix)
            gateUp = try plan.matrices(names.0, gatesAndUps(names.0, width: hidden), kind: .gateUp)
            down = try plan.matrices(names.1, downs(names.1, width: size, columns: part.range))
            if let biases = stacks.biases {
                let names = (scope.at(biases.gateUp).prefix, scope.at(biases.down).prefix)
                gateUpBias = try plan.matrices(
                    names.0, gatesAndUps(names.0, width: 1), kind: .gateUp, role: .router)
                downBias = try plan.matrices(names.1, downs(names.1, width: 1, columns: nil), role: .router)
            } else {
                (gateUpBias, downBias) = (nil, nil)
            }
            isFirstRank = plan.shard.rank.index == 0
        }

        /// The packed form.
        func packed(_ step: borrowing Step) -> PackedExperts {
            var experts = PackedExperts(gateUp: step.weights[gateUp], down: step.weights[down], count: count)
            if let gateUpBias, let downBias {
                experts.biases = (step.weights[gateUpBias], isFirstRank ? step.weights[downBias] : nil)
            }
            return experts
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
        experts =
            if let stacks = shape.stacks {
                try Bank(scope, stacks: stacks, count: shape.count, size: shape.size, key: shape.sizeKey)
            } else {
                try Bank(
                    (0..<shape.count).map { scope.at("experts.\($0)") }, name: scope.prefix + ".experts",
                    size: shape.size,
                    names: shape.names, key: shape.sizeKey, hasBiases: shape.hasBiases)
            }
        func bias(_ name: String?) throws(CheckpointError) -> VectorID? {
            guard let name else { return nil }
            var slice = TensorSlice(scope.at(name).prefix, shape: [shape.count])
            // In some checkpoints it is a row.
            if plan.shape(of: slice.name) == [1, shape.count] { slice.stored = [1, shape.count] }
            return try plan.vector(slice.name, [slice])
        }
        biases = (try bias(shape.scoring.logitBias), try bias(shape.scoring.choiceBias))
        factors = try bias(shape.scoring.expertFactors)
        if let size = shape.shared {
            let place = scope.at(shape.names.shared)
            shared = (
                try Bank(
                    [place], name: place.prefix, size: size, names: shape.names,
                    key: "shared_expert_intermediate_size"),
                shape.sharedHasGate ? try Self.scorer(scope.at("shared_expert_gate"), outputs: 1) : nil
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
        mix(x, choose(x, step), addingTo: residual, step)
    }

    /// Adds what the chosen experts make of the step's rows to the residual stream.
    func mix(
        _ x: UnsafeRawPointer, _ choice: Choice, addingTo residual: UnsafeMutablePointer<Float>,
        _ step: borrowing Step
    ) {
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
    struct Choice {
        fileprivate let experts: UnsafePointer<Int32>
        fileprivate let weights: UnsafePointer<Float>
        /// Of the shared expert, whose number is 0 for every row.
        fileprivate let sharedWeights: UnsafePointer<Float>
        fileprivate let sharedExpert: UnsafePointer<Int32>
    }

    /// Scores the experts and chooses the best; everything lies in the memory of fused projections.
    func choose(_ x: UnsafeRawPointer, _ step: borrowing Step) -> Choice {
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
        compute.matmul(
            input, rows: rows, weights: step.weights[router], bias: step.weights[biases.logits], into: scores)
        compute.cap(scores, count: rows * shape.count, scale: shape.scoring.logitFactor, cap: nil)
        if shape.scoring.isSigmoid {
            compute.sigmoid(scores, count: rows * shape.count)
        } else {
            compute.softmax(scores, rows: rows, size: shape.count, into: scores)
        }
        let chosen = step.chosenExperts(routing)
        compute.chooseExperts(
            scores, rows: rows, experts: shape.count, each: shape.each, bias: step.weights[biases.choice],
            normalizes: shape.normalizes, factor: shape.scoring.factor, into: chosen, weights: weights)
        if let factors = step.weights[factors] {
            for place in 0..<rows * shape.each { weights[place] *= factors[Int(chosen[place])] }
        }
        if let shared {
            if let gate = shared.gate {
                compute.matmul(input, rows: rows, weights: step.weights[gate], into: sharedWeights)
                for row in 0..<rows { sharedWeights[row] = 1 / (1 + exp(-sharedWeights[row])) }
            } else {
                sharedWeights.update(repeating: 1, count: rows)
            }
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
        var routed = experts.packed(step)
        (routed.clampsGates, routed.function) = (shape.clampsGates, shape.function)
        step.compute.mixExperts(
            x, rows: rows.count, experts: routed, chosen: choice.experts + first * shape.each,
            weights: choice.weights + first * shape.each, each: shape.each, gated: step.gated, addingTo: out)
        guard let shared else { return }
        step.compute.mixExperts(
            x, rows: rows.count, experts: shared.experts.packed(step), chosen: choice.sharedExpert + first,
            weights: choice.sharedWeights + first, each: 1, gated: step.gated, addingTo: out)
    }
}
