internal import Messages
internal import Models
internal import Tensors

/// The model as rank 0 uses it: the other ranks, if there are any, compute every step along, and do with their weights and
/// caches what rank 0 does with its own.
struct RankedModel: StepModel {
    let model: any LanguageModel
    let compute: Compute
    let link: RankLink?
    let weights: RankWeights
    let profiler: Profiler

    var logitRows: Int { model.limits.logitRows }
    var hiddenSize: Int { model.config.hiddenSize }

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

    func hiddenStates(_ range: Range<Int>, into states: UnsafeMutablePointer<Float>) {
        model.hiddenStates(range, into: states)
    }

    func chosenExperts(inLayer layer: Int) -> UnsafeBufferPointer<Int32> { model.chosenExperts(inLayer: layer) }

    func endStep() { compute.endStep() }

    /// Has all ranks do something that is no step.
    func order(_ kind: RankLink.Kind, _ text: String = "") throws(CheckpointError) {
        link?.send(kind, text)
        try weights.obey(kind, text)
    }

    /// What came of what all ranks were told to prepare or compute; nil while one of them is at it.
    var outcome: Result<[String], RankJobFailure>? {
        let own = weights.state
        guard own != .underWay else { return nil }
        return RankJobState.sum(link?.reports(with: own) ?? [own])
    }

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
