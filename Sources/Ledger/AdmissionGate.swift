/// Decides how many requests may be in the server at one time, running and waiting together.
struct AdmissionGate: Sendable, Equatable {
    /// Most rows when no limit is set: bounds the front's own memory.
    static let ownLimit = 8192

    /// Most rows that may be open.
    let limit: Int

    /// - Parameters:
    ///   - queued: most requests that may wait (`--max-queued-requests`); nil: the front's own limit.
    ///   - running: how many the model runs at one time; 0 while it is not known.
    init(queued: Int?, running: Int) {
        limit = queued.map { min(Self.ownLimit, $0 + running) } ?? Self.ownLimit
    }

    /// - Throws: `.queueFull` when `count` more rows are too many.
    func admit(_ count: Int, behind open: Int) throws(RequestFailure) {
        guard count <= limit, open <= limit - count else { throw .queueFull }
    }
}
