package import Models

/// What the engine needs of a model. The shell's has ranks and threads behind it, a test's is a function of the tokens.
package protocol StepModel {
    /// Rows of logits, or of other answers, that may be asked for at once.
    var logitRows: Int { get }

    /// Computes the rows of a step and stores what they leave behind in their slots.
    func forward(_ input: borrowing ForwardInput)

    /// Logits, vectors or scores of the entries `range` of the step's `logitRows`.
    func logits(_ range: Range<Int>, into rows: UnsafeMutablePointer<Float>)

    /// Hidden states of the entries `range` of the step's `logitRows`.
    func hiddenStates(_ range: Range<Int>, into states: UnsafeMutablePointer<Float>)

    /// The experts that the step's rows took in a layer, `[rows][each]`, where the step kept every row; empty for a layer
    /// without experts.
    func chosenExperts(inLayer layer: Int) -> UnsafeBufferPointer<Int32>

    /// Nothing more is asked of this step.
    func endStep()
}

extension StepModel {
    /// None: a model without experts.
    package func chosenExperts(inLayer layer: Int) -> UnsafeBufferPointer<Int32> {
        UnsafeBufferPointer(start: nil, count: 0)
    }
}
