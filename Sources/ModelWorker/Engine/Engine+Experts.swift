internal import Logging
internal import Messages
internal import Models
internal import Scheduling

/// What is told of the experts that rows take.
extension Engine {
    /// Obeys an order about the record of experts.
    mutating func record(_ action: ExpertRecording.Action, _ call: UInt64) {
        guard recorder != nil else { return reply(call, success: false, Self.noRecorder(traits)) }
        switch action {
        case .start:
            if recorder!.isRecording {
                emit(
                    .log(
                        .warning, "The expert distribution is being recorded already; what was not dumped is forgotten."
                    ))
            }
            emit(.log(.info, Self.resetting))
            recorder!.start()
        case .stop:
            if !recorder!.isRecording { emit(.log(.warning, "The expert distribution is not being recorded.")) }
            recorder!.stop()
        case .resume:
            if !recorder!.isRecording {
                emit(
                    .log(
                        .warning,
                        "Recording of the expert distribution goes on; what was recorded before this worker came is lost."
                    ))
            }
            recorder!.resume()
        case .rest: recorder!.stop()
        case .dump: return emit(.writeExperts(call: call, recorder!.dump()))
        case .UNRECOGNIZED: return reply(call, success: false, "unknown order about experts")
        }
        reply(call, success: true, "")
    }

    /// A record was written to a file, or could not be: then it is kept.
    package mutating func wrote(_ record: ExpertRecord, call: UInt64, to file: Result<String, some Error>) {
        switch file {
        case .success(let path):
            emit(.log(.info, Self.resetting))
            reply(call, success: true, path)
        case .failure(let error):
            recorder?.takeBack(record)
            emit(.log(.error, "The expert distribution was not written: \(error)"))
            reply(call, success: false, "The expert distribution was not written: \(error)")
        }
    }

    private static let resetting = "Resetting ExpertDistributionRecorder..."

    /// Why nothing is recorded, beginning as SGLang says it.
    private static func noRecorder(_ traits: EngineTraits) -> String {
        let hint = "Please set ServerArgs.expert_distribution_recorder_mode to use ExpertDistributionRecorder."
        return traits.expertRecorderMode == nil ? hint : hint + " The model has no experts."
    }

    /// Whether every row of a step has to go through all layers.
    var tracksExperts: Bool { routes != nil || recorder?.isRecording == true }

    /// Takes down which experts the rows of a step took.
    mutating func noteExperts(on model: some StepModel) {
        guard plan.input.keepsEveryRow else { return }
        recorder?.note(plan.input, pass: statistics.steps + 1) { model.chosenExperts(inLayer: $0) }
        routes?.note(plan.input) { model.chosenExperts(inLayer: $0) }
    }

    /// The experts that a request's tokens took, from the position that it asked for to the last one computed; nil where it
    /// asked for none. `chosen` holds the tokens that come now.
    func routedExperts(_ request: EngineRequest, _ scheduled: ScheduledRequest) -> [Int32]? {
        guard let routes, let from = request.routedExpertsFrom else { return nil }
        let end = scheduled.tokens.count + chosen.count - 1
        return routes.experts(of: scheduled.slots[min(from, end)..<end])
    }
}
