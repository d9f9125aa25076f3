package import Messages
internal import Synchronization

/// What the launcher last said about all processes, and what operators asked of this server.
package final class HealthBoard: Sendable {
    /// A consistent look at the board.
    package struct View: Sendable {
        package var topology = Topology()
        package var isDraining = false
        /// Generation is paused by an operator.
        package var isPaused = false
        /// Weights may be pushed.
        package var isUpdateWindowOpen = false
        /// Monotonic milliseconds at which the table arrived.
        package var topologyTime: UInt64 = 0
        /// Memory is given back that requests need.
        package var isReleased = false
        /// The model's facts, once known.
        package var model: ModelFacts? { topology.hasModel ? topology.model : nil }
        /// Requests are answered now.
        package var isServing: Bool { topology.serving && !isDraining }
    }

    private let state: Mutex<View>

    /// Which weights are served.
    package let weights: WeightNames

    /// - Parameter orders: what an operator told an earlier front; nil: nothing.
    package init(weights: WeightNames, orders: StandingOrders?) {
        self.weights = weights
        state = Mutex(
            View(
                isPaused: orders?.hasPaused ?? false,
                isReleased: orders?.released.stopsRequests ?? false))
    }

    package var view: View { state.withLock { $0 } }

    /// A new table arrived. The model's facts stay known while a worker restarts.
    package func update(_ topology: Topology, at milliseconds: UInt64) {
        state.withLock { view in
            var next = topology
            if !next.hasModel, let known = view.model { next.model = known }
            view.topology = next
            view.topologyTime = milliseconds
            if topology.draining { view.isDraining = true }
        }
    }

    /// Opens or closes the window in which weights may be pushed; whether it was open before.
    package func openUpdateWindow(_ isOpen: Bool) -> Bool {
        state.withLock { view in
            defer { view.isUpdateWindowOpen = isOpen }
            return view.isUpdateWindowOpen
        }
    }

    package func drain() { state.withLock { $0.isDraining = true } }
    package func pause(_ isPaused: Bool) { state.withLock { $0.isPaused = isPaused } }
    package func release(_ memory: ReleasedMemory) { state.withLock { $0.isReleased = memory.stopsRequests } }
}

extension ReleasedMemory {
    /// The kinds of memory, as clients call them.
    package static let allTags = ["weights", "kv_cache", "cuda_graph"]

    /// Without it no request can be computed. There are no graphs on this device: theirs takes nothing.
    var stopsRequests: Bool { tags.contains { $0 != "cuda_graph" } }
}
