package import APICore
internal import Ledger
package import Logging
package import ServerSettings

/// What operators and their machines ask: health, processes, metrics, loads, and orders to a running server.
package struct OperatorAPI: Sendable {
    /// Every endpoint of the interface.
    package let routes: [Route]

    /// - Parameter http: counts of requests and responses, which /metrics shows.
    package init(_ settings: FrontSettings, _ front: FrontServices, http: HTTPMetrics, log: Logger) {
        let health = HealthRoutes(
            board: front.board, requests: front.requests, log: log, patience: settings.healthCheckTimeout)
        let info = ServerInfoRoutes(settings: settings, board: front.board, questions: front.questions)
        let control = ControlRoutes(
            board: front.board, requests: front.requests, questions: front.questions, keepsake: front.keepsake,
            log: log, generation: front.generation)
        let logging = LoggingRoutes(requestLog: front.requestLog, keepsake: front.keepsake)
        let profiles = ProfileRoutes(
            questions: front.questions, log: log, folder: settings.profileFolder, clock: front.clock)
        let weights = WeightRoutes(
            weights: front.board.weights, requests: front.requests, questions: front.questions,
            loadFormat: settings.loadFormat)
        let memory = MemoryRoutes(
            board: front.board, questions: front.questions, keepsake: front.keepsake,
            isEnabled: settings.enableMemorySaver)
        let experts = ExpertRecordRoutes(
            isServed: settings.expertRecorderMode != nil, questions: front.questions, keepsake: front.keepsake)
        let loads = LoadRoutes(questions: front.questions, clock: front.clock)
        let missing = MissingRoutes(hasAdminKey: settings.adminAPIKey != nil)
        var routes = health.routes + info.routes + MetricsRoutes(settings, front, http).routes
        routes += loads.routes + control.routes + logging.routes + profiles.routes
        routes += weights.routes + WeightChannelRoutes(board: front.board).routes + memory.routes + experts.routes
        self.routes = routes + missing.routes
    }
}
