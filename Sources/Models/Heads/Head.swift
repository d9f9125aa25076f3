/// Turns hidden states, normalised behind the last layer, into the numbers that were asked for: logits today; scores and
/// pooled vectors have their place beside them.
protocol Head {
    /// Numbers of one row's answer.
    var width: Int { get }

    /// Computes `[rows][width]` float32 from `[rows][hidden]` of the model's dtype. All ranks call it together; `out` is
    /// nil on those that only hand over their part.
    func callAsFunction(
        _ hidden: UnsafeRawPointer, rows: Int, _ parts: borrowing ModelParts, into out: UnsafeMutablePointer<Float>?)
}
