/// Decides how many requests may be in the server at one time, running and waiting together.
package struct AdmissionGate: Sendable, Equatable {
    /// Most rows when no limit is set: bounds the front's own memory.
    package static let ownLimit = 8192

    /// Most rows that may be open.
    let limit: Int
    /// The limit may grow: it is not known yet how many the model runs at one time.
    let mayGrow: Bool

    /// - Parameters:
    ///   - queued: most requests that may wait (`--max-queued-requests`); nil: the front's own limit.
    ///   - running: how many the model runs at one time; nil while it is not known.
    package init(queued: Int?, running: Int?) {
        limit = queued.map { min(Self.ownLimit, $0 + (running ?? 0)) } ?? Self.ownLimit
        mayGrow = queued != nil && running == nil
    }

    /// - Throws: `.neverFits` when `count` rows are more than the server ever takes, `.queueFull` when they are too many now.
    package func admit(_ count: Int, behind open: Int) throws(RequestFailure) {
        if count > limit { throw mayGrow ? .queueFull : .neverFits(rows: count, limit: limit) }
        guard open <= limit - count else { throw .queueFull }
    }
}
