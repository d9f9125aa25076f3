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
    /// The worker's previous incarnation did not leave on purpose.
    package var workerCrashed = true

    package init() {}

    /// Reads the launcher's table.
    package init(_ topology: Topology) {
        let stages = topology.processes.filter { $0.role != .launcher && $0.role != .http }
        let roles = Set(stages.map(\.role))
        isReady =
            roles.isSuperset(of: [.tokenizerManager, .scheduler, .detokenizer])
            && stages.allSatisfy { $0.state == .ready }
        for stage in stages {
            switch stage.role {
            case .tokenizerManager: incarnations.tokenizer = stage.generation
            case .detokenizer: incarnations.detokenizer = stage.generation
            case .scheduler where stage.rank == 0:
                incarnations.worker = stage.generation
                let exit = stage.lastExit
                workerCrashed = !(exit.present && exit.code == 0 && exit.signal == 0)
            default: break
            }
        }
    }
}
