internal import APICore
internal import HTTPTypes
internal import Hummingbird
internal import Ledger
internal import Messages
internal import NIOCore
internal import ServerSettings
internal import Synchronization

/// /metrics for Prometheus, with `--enable-metrics`.
final class MetricsRoutes: Sendable {
    private let settings: FrontSettings
    private let board: HealthBoard
    private let requests: OpenRequests
    private let questions: PipeQuestions
    private let http: HTTPMetrics
    /// What the worker last told of itself.
    private let lastState = Mutex<WorkerState?>(nil)

    init(_ settings: FrontSettings, _ front: FrontServices, _ http: HTTPMetrics) {
        self.settings = settings
        board = front.board
        requests = front.requests
        questions = front.questions
        self.http = http
    }

    /// Seconds the worker gets to tell its numbers; its last ones are shown when it takes longer.
    private static let patience = 2.0

    var routes: [Route] {
        guard settings.enableMetrics else { return [] }
        return ["/metrics", "/metrics/**"].map { path in
            Route([.get], path) { [self] _, _ in
                Response(
                    status: .ok, headers: [.contentType: ExpositionText.contentType],
                    body: .init(byteBuffer: ByteBuffer(string: await page.text)))
            }
        }
    }

    private var page: MetricsPage {
        get async {
            let topology = board.view.topology
            // A worker that is not there need not be waited for.
            if PipeStatus(topology).isReady,
                let reply = await questions.control(patience: Self.patience, { $0.internalState = true })
            {
                lastState.withLock { $0 = reply.state }
            }
            let view = board.view
            return MetricsPage(
                settings: settings, requests: requests.metrics, http: http.counts,
                worker: lastState.withLock { $0 }, topology: view.topology, model: view.model)
        }
    }
}
