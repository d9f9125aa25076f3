/// What stands behind attention in a layer: one MLP, or a choice of several.
protocol FeedForward {
    /// Adds the block's output for the step's rows to the residual stream.
    func callAsFunction(
        _ x: UnsafeRawPointer, addingTo residual: UnsafeMutablePointer<Float>, _ step: borrowing Step)
}
