import Tensors

/// A gated MLP and a mixture of experts side by side, each between norms of its own; the router sees the residual stream through
/// another norm.
struct ExpertsBeside {
    private let behindMLP: RMSNorm
    private let routerNorm: RMSNorm
    private let beforeExperts: RMSNorm
    private let experts: MixtureOfExperts
    private let behindExperts: RMSNorm
    private let hidden: Int

    /// Takes the experts of a layer and the norms around them.
    init(_ scope: ModelScope, _ shape: ExpertShape, layer: Int) throws(CheckpointError) {
        hidden = scope.config.hiddenSize
        behindMLP = try RMSNorm(scope.at("post_feedforward_layernorm_1"))
        routerNorm = try RMSNorm(scope, tensor: scope.at("router.scale").prefix)
        beforeExperts = try RMSNorm(scope.at("pre_feedforward_layernorm_2"))
        experts = try MixtureOfExperts(scope, shape, layer: layer)
        behindExperts = try RMSNorm(scope.at("post_feedforward_layernorm_2"))
        scope.plan.reserve(.sideBranch, floats: hidden)
    }

    /// Normalises what the MLP gave, and adds to it what the experts make of the residual stream.
    func callAsFunction(_ branch: UnsafeMutablePointer<Float>, _ step: borrowing Step) {
        step.normalize(branch, behindMLP)
        routerNorm(step.residual, into: step.normed, step)
        let choice = experts.choose(step.normed, step)
        beforeExperts(step.residual, into: step.normed, step)
        let side = step.sideBranch
        side.update(repeating: 0, count: step.rows * hidden)
        experts.mix(step.normed, choice, addingTo: side, step)
        step.normalize(side, behindExperts)
        step.compute.add(side, count: step.rows * hidden, to: branch)
    }
}
