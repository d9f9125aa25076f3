internal import Messages

/// Responses that clients may ask for again, the oldest first.
struct ResponseShelf: Sendable {
    private(set) var responses: [String: StoredResponse] = [:]
    /// Their names in the order in which they came.
    private(set) var order: [String] = []
    /// What they hold together.
    private(set) var bytes = 0

    /// Puts one in the place of any with its name.
    mutating func put(_ response: StoredResponse, as id: String) {
        if let old = responses[id] { bytes -= old.size } else { order.append(id) }
        responses[id] = response
        bytes += response.size
    }

    /// Takes one away, if it is there.
    mutating func remove(_ id: String) {
        guard let old = responses.removeValue(forKey: id) else { return }
        bytes -= old.size
        order.removeAll { $0 == id }
    }

    /// Which ones are too old or have no room, the oldest first; those that are still being made stay.
    func excess(_ limits: ResponseLimits, now: Double) -> [String] {
        var (count, size) = (order.count, bytes)
        return order.filter { id in
            guard let response = responses[id], !response.hasWork else { return false }
            guard limits.isOver(response, now: now) || count > limits.count || size > limits.bytes else { return false }
            count -= 1
            size -= response.size
            return true
        }
    }

    /// Whether one more may be made while no client waits: those that are being made take room that nobody can be asked for.
    func hasRoom(for response: StoredResponse, _ limits: ResponseLimits) -> Bool {
        let work = responses.values.filter(\.hasWork)
        return work.count < limits.count && work.reduce(response.size) { $0 + $1.size } <= limits.bytes
    }

    /// What makes the same of nothing.
    var records: [SessionRecord] { order.compactMap { id in responses[id].map { .response($0, as: id) } } }
}

/// How many responses are kept, and for how long.
package struct ResponseLimits: Sendable, Equatable {
    package var count: Int
    /// Of all together.
    package var bytes: Int
    package var seconds: Double

    package init(count: Int, bytes: Int, seconds: Double) {
        (self.count, self.bytes, self.seconds) = (count, bytes, seconds)
    }

    /// A response is too old.
    func isOver(_ response: StoredResponse, now: Double) -> Bool {
        !response.hasWork && now - response.created > seconds
    }
}

extension StoredResponse {
    /// Bytes that it holds.
    fileprivate var size: Int { response.utf8.count + messages.utf8.count + work.chat.utf8.count }
}

extension SessionRecord {
    /// A response is kept.
    static func response(_ response: StoredResponse, as id: String) -> SessionRecord {
        .make {
            $0.session = id
            $0.response = response
        }
    }

    /// A response is not kept any more.
    static func deletingResponse(_ id: String) -> SessionRecord {
        .make {
            $0.session = id
            $0.responseDeleted = true
        }
    }
}
