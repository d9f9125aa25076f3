internal import Synchronization

/// Counts of HTTP requests and responses by endpoint.
package final class HTTPMetrics: Sendable {
    /// Which endpoint was asked, and how.
    package struct Endpoint: Hashable {
        var path: String
        var method: String
    }

    /// What was counted up to now.
    struct Counts {
        var requests: [Endpoint: UInt64] = [:]
        var active: [Endpoint: Int] = [:]
        var responses: [Endpoint: [Int: UInt64]] = [:]
        /// Requests that are being answered, by the key that routes them.
        var routingKeys: [String: Int] = [:]
    }

    /// Paths that nobody serves are counted by name up to this many, so that a scanner of paths cannot fill the memory.
    private static let mostUnknownPaths = 64

    private struct State {
        var counts = Counts()
        var known: Set<String> = []
        var unknown: Set<String> = []
    }

    private let state = Mutex(State())

    package init() {}

    /// These are the paths of the routes.
    package func know(_ paths: Set<String>) { state.withLock { $0.known = paths } }

    /// A request arrived; what it returns is told when it ends.
    ///
    /// - Parameter routingKey: what its header says routes it; empty: nothing.
    package func begin(path: String, method: String, routingKey: String) -> Endpoint {
        state.withLock { state in
            var name = path
            if !state.known.contains(path) {
                if state.unknown.count < Self.mostUnknownPaths { state.unknown.insert(path) }
                if !state.unknown.contains(path) { name = "other" }
            }
            let endpoint = Endpoint(path: name, method: method)
            state.counts.requests[endpoint, default: 0] += 1
            state.counts.active[endpoint, default: 0] += 1
            if !routingKey.isEmpty { state.counts.routingKeys[routingKey, default: 0] += 1 }
            return endpoint
        }
    }

    /// Its response begins.
    package func respond(_ endpoint: Endpoint, status: Int) {
        state.withLock { $0.counts.responses[endpoint, default: [:]][status, default: 0] += 1 }
    }

    /// Nothing more happens to it.
    package func end(_ endpoint: Endpoint, routingKey: String) {
        state.withLock { state in
            state.counts.active[endpoint, default: 0] -= 1
            guard let others = state.counts.routingKeys[routingKey].map({ $0 - 1 }) else { return }
            state.counts.routingKeys[routingKey] = others > 0 ? others : nil
        }
    }

    /// The counts now.
    var counts: Counts { state.withLock { $0.counts } }
}
