internal import Messages

/// What is to become of the weights, one thing after the other: a value that says what may happen when.
///
/// ```
/// queued → preparing → ready → changed
/// ```
/// While the weights of an update are being prepared everything goes on. When they lie ready, requests that have begun go on to
/// their end with the old ones, new ones wait, and when nothing is left that has begun the weights change between two steps. So no
/// stream waits for a load, and no text is of two kinds of weights. Where an operator has stopped the requests they change at once.
struct WeightChanges: Sendable {
    /// What is asked for.
    enum Purpose: Sendable, Equatable {
        /// Other weights.
        case update(WeightUpdate)
        /// The memory of the present ones again.
        case restore
        /// Their checksums.
        case checksum
    }

    /// One thing that was asked for, and the calls that wait for it.
    struct Change: Sendable {
        var purpose: Purpose
        var calls: [UInt64]
    }

    enum Phase: Sendable, Equatable {
        /// Nothing is under way.
        case rest
        /// The ranks prepare or compute.
        case preparing
        /// The weights lie ready.
        case ready
        /// The ranks were told to go on with them.
        case changing
    }

    /// What the steps compute with.
    var served: ServedWeights
    private(set) var queue: [Change] = []
    var phase = Phase.rest

    init(_ served: ServedWeights) { self.served = served }

    /// What is under way, or comes next.
    var current: Change? { queue.first }

    /// New requests wait, and nobody preempts anybody: the weights lie ready.
    var holdsNewRequests: Bool { phase == .ready || phase == .changing }

    /// Asks for something; the same order, come again, is asked for once.
    mutating func ask(_ purpose: Purpose, call: UInt64) {
        if case .update(let update) = purpose {
            let known = queue.firstIndex { change in
                if case .update(let other) = change.purpose { other.order == update.order } else { false }
            }
            if let known { return queue[known].calls.append(call) }
        }
        queue.append(Change(purpose: purpose, calls: [call]))
    }

    /// What is under way is over; the calls that wait for it.
    mutating func finish() -> [UInt64] {
        phase = .rest
        return queue.removeFirst().calls
    }

    /// The weights after an update. `mixes` says that requests which began with others go on with them.
    func next(_ update: WeightUpdate, mixes: Bool) -> ServedWeights {
        .make {
            $0.number = served.number + 1
            $0.pureSince = mixes ? served.pureSince : served.number + 1
            $0.order = update.order
            $0.path = update.path
            $0.loadFormat = update.loadFormat
            if update.hasVersion {
                ($0.version, $0.namedAt) = (update.version, $0.number)
            } else if served.hasVersion {
                ($0.version, $0.namedAt) = (served.version, served.namedAt)
            }
        }
    }

    /// A request that began with the weights of this number may go on with the present ones.
    func continues(_ number: UInt64) -> Bool { number >= served.pureSince && number <= served.number }
}
