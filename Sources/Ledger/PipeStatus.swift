package import Messages

/// Whether the stages behind the front are there, and which incarnations of them.
package struct PipeStatus: Sendable, Equatable {
    /// Which incarnation each stage is; a request goes through one set of them or has to be submitted again.
    package struct Incarnations: Sendable, Equatable {
        package var tokenizer: UInt64 = 0
        package var worker: UInt64 = 0
        package var detokenizer: UInt64 = 0
    }

    /// All stages are ready for requests.
    package var isReady = false
    package var incarnations = Incarnations()
    /// The worker's previous incarnation failed at its work, rather than being killed from outside or told to leave.
    package var workerCrashed = false
    /// A stage was given up, and why: nothing comes until an operator restarts it.
    package var failure: String?

    package init() {}

    /// Reads the launcher's table.
    package init(_ topology: Topology) {
        let stages = topology.processes.filter { $0.role != .launcher && $0.role != .http }
        let roles = Set(stages.map(\.role))
        isReady =
            roles.isSuperset(of: [.tokenizerManager, .scheduler, .detokenizer])
            && stages.allSatisfy { $0.state == .ready }
        failure = stages.first { $0.state == .failed }.map { stage in
            let reason = stage.lastExit.present ? ": \(stage.lastExit.reason)" : ""
            return "\(stage.title) was given up\(reason)"
        }
        for stage in stages {
            switch stage.role {
            case .tokenizerManager: incarnations.tokenizer = stage.generation
            case .detokenizer: incarnations.detokenizer = stage.generation
            case .scheduler:
                if stage.rank == 0 { incarnations.worker = stage.generation }
                // The crash of one rank ends the others, whose own ends say nothing.
                if stage.lastExit.ownFault { workerCrashed = true }
            default: break
            }
        }
    }
}
