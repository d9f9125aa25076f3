internal import HTTPTypes
internal import Hummingbird
internal import Messages
internal import NIOCore
internal import ServerSettings
internal import Synchronization

/// /metrics for Prometheus, with `--enable-metrics`.
struct MetricsRoutes: Sendable {
    let front: Front

    /// Seconds the worker gets to tell its numbers; its last ones are shown when it takes longer.
    private static let patience = 2.0

    var routes: [Routes.Route] {
        guard front.settings.enableMetrics else { return [] }
        return ["/metrics", "/metrics/**"].map { path in
            .init([.get], path) { [self] _, _ in
                Response(
                    status: .ok, headers: [.contentType: ExpositionText.contentType],
                    body: .init(byteBuffer: ByteBuffer(string: await page.text)))
            }
        }
    }

    private var page: MetricsPage {
        get async {
            let topology = front.board.view.topology
            // A worker that is not there need not be waited for.
            if PipeStatus(topology).isReady,
                let reply = await front.control(patience: Self.patience, { $0.internalState = true })
            {
                front.lastWorkerState.withLock { $0 = reply.state }
            }
            let view = front.board.view
            return MetricsPage(
                settings: front.settings, requests: front.requestMetrics, http: front.http.counts,
                worker: front.lastWorkerState.withLock { $0 }, topology: view.topology, model: view.model)
        }
    }
}
