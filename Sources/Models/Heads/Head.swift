import Tensors

/// Turns hidden states, normalised behind the last layer, into the numbers that were asked for: logits, vectors or scores.
protocol Head {
    /// Numbers that one row gives.
    var width: Int { get }
    /// How the rows of a text become one float32 row for this head; nil for one that takes each wanted row in the model's
    /// dtype.
    var pooling: Pooling? { get }

    /// Computes `[rows][width]` float32 from `[rows][hidden]` of what `pooling` says. All ranks call it together; `out` is
    /// nil on those that only hand over their part.
    func callAsFunction(
        _ hidden: UnsafeRawPointer, rows: Int, _ parts: borrowing ModelParts, into out: UnsafeMutablePointer<Float>?)
}
