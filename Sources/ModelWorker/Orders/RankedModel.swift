internal import Messages
internal import Models
internal import Tensors

/// The model as rank 0 uses it: the other ranks, if there are any, compute every step along.
struct RankedModel: StepModel {
    let model: any LanguageModel
    let compute: Compute
    let link: RankLink?
    let profiler: Profiler

    var logitRows: Int { model.limits.logitRows }

    func forward(_ input: borrowing ForwardInput) {
        compute.beginStep()
        profiler.note(.forward) {
            link?.send(input)
            model.forward(input)
        }
    }

    func logits(_ range: Range<Int>, into rows: UnsafeMutablePointer<Float>) {
        profiler.note(.logits) { model.logits(range, into: rows) }
    }

    func chosenExperts(inLayer layer: Int) -> UnsafeBufferPointer<Int32> { model.chosenExperts(inLayer: layer) }

    func endStep() { compute.endStep() }

    /// The first values of a weight, for the front. Rank 0 reads it alone: the files have the whole tensor.
    func answer(_ call: UInt64, _ order: WeightByName) -> FrontReply {
        var reply = ControlReply()
        reply.call = call
        do throws(CheckpointError) {
            if let weight = try model.weight(named: order.name, rows: Int(order.rows)) {
                reply.success = true
                reply.values = weight.values
                reply.shape = weight.shape.map { UInt32($0) }
            } else {
                reply.message = "Get parameter by name failed"
            }
        } catch {
            reply.message = "\(error)"
        }
        return .make { $0.control = reply }
    }
}
