import Tensors

/// A block of BERT's kin: attention and MLP with biases, each added to the residual stream and normalised with it.
struct PostNormLayer {
    let attention: Attention
    let attentionNorm: LayerNorm
    let mlp: EncoderMLP
    let outputNorm: LayerNorm

    /// Takes the norms' tensors, and those of the MLP at `mlp`.
    init(
        attention: Attention, attentionNorm: ModelScope, mlp scope: ModelScope, epsilon: Float, _ function: MLPFunction
    ) throws(CheckpointError) {
        let size = scope.config.hiddenSize
        self.attention = attention
        self.attentionNorm = try LayerNorm(attentionNorm, size: size, epsilon: epsilon)
        mlp = try EncoderMLP(scope, up: "intermediate.dense", down: "output.dense", function)
        outputNorm = try LayerNorm(scope.at("output.LayerNorm"), size: size, epsilon: epsilon)
    }

    /// Advances the residual stream, of which a copy in the model dtype lies in `normed`.
    func forward(bias: (numbers: UnsafePointer<Float>, reach: Int)? = nil, _ step: inout Step) {
        attention(step.normed, bias: bias, &step)
        attentionNorm(inPlace: step.residual, into: step.normed, step)
        mlp(step.normed, addingTo: step.residual, step)
        outputNorm(inPlace: step.residual, into: step.normed, step)
    }
}
