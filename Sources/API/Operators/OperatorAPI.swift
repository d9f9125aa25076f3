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
            log: log)
        let logging = LoggingRoutes(requestLog: front.requestLog, keepsake: front.keepsake)
        let profiles = ProfileRoutes(
            questions: front.questions, log: log, folder: settings.profileFolder, clock: front.clock)
        let experts = ExpertRecordRoutes(
            isServed: settings.expertRecorderMode != nil, questions: front.questions, keepsake: front.keepsake)
        let loads = LoadRoutes(questions: front.questions, clock: front.clock)
        routes =
            health.routes + info.routes + MetricsRoutes(settings, front, http).routes + loads.routes + control.routes
            + logging.routes + profiles.routes + experts.routes
            + MissingRoutes(hasAdminKey: settings.adminAPIKey != nil).routes
    }
}
