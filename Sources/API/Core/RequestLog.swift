internal import Ledger
package import Logging
internal import Synchronization

/// Lines about single requests, for operators who asked for them.
package final class RequestLog: Sendable {
    private let log: Logger
    private let isOn = Atomic(false)

    /// A log that is switched off.
    package init(_ log: Logger) { self.log = log }

    /// Switches the lines on or off.
    package func set(_ isOn: Bool) { self.isOn.store(isOn, ordering: .relaxed) }

    /// A request has its rows.
    func received(_ order: Answering.Order) {
        guard isOn.load(ordering: .relaxed) else { return }
        log.info("Receive: rid=\(order.openings.map(\.rid)) stream=\(order.isStreamed)")
    }

    /// A request has its answer.
    func finished(_ rows: [LedgerRow]) {
        guard isOn.load(ordering: .relaxed) else { return }
        log.info("Finish: rid=\(rows.map(\.rid))")
    }
}
