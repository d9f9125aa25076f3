internal import Messages
internal import Models
internal import Tensors

/// The model as rank 0 uses it: the other ranks, if there are any, compute every step along.
struct RankedModel: StepModel {
    let model: any LanguageModel
    let compute: Compute
    let link: RankLink?

    var vocabularySize: Int { model.config.vocabularySize }
    var logitRows: Int { model.limits.logitRows }

    func forward(_ input: borrowing ForwardInput) {
        compute.beginStep()
        link?.send(input)
        model.forward(input)
    }

    func logits(_ range: Range<Int>, into rows: UnsafeMutablePointer<Float>) { model.logits(range, into: rows) }

    func endStep() { compute.endStep() }

    /// The first values of a weight, for the front.
    func answer(_ call: UInt64, _ order: WeightByName) -> FrontReply {
        let rows = try? model.weight(named: order.name, rows: Int(order.rows))
        return .make {
            $0.control = .make {
                $0.call = call
                guard let rows else { return $0.message = "Get parameter by name failed" }
                $0.success = true
                $0.shape = rows.shape.map { UInt32($0) }
                $0.values = rows.values
            }
        }
    }
}
