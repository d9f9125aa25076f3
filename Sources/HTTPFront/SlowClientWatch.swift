/// What no honest client is slower than.
package struct SlowClientLimits: Sendable {
    /// For a request's head, from the first moment it could come.
    package var head = Duration.seconds(10)
    /// Between two looks at a body.
    package var look = Duration.seconds(10)
    /// Bytes of body that have to come between two looks.
    package var bytesPerLook = 5000
    /// For a client that takes nothing of its answer.
    package var stall = Duration.seconds(60)
    /// From an answer to the first byte of the next request.
    package var keepAlive = Duration.seconds(5)

    /// The usual limits.
    package init() {}
}

/// Tells the clients that are slower than any honest one: a head that does not come to its end, a body that trickles, an answer
/// that is not read. Single bytes now and then do not buy more time.
///
/// Times are durations since any fixed moment. Whoever tells it what happens looks at `deadline` afterwards, and calls `due`
/// when that time has come.
package struct SlowClientWatch: Sendable {
    /// What to do with the connection.
    package enum Verdict: Sendable, Equatable {
        case close
        /// Close it without waiting until the client takes what is on its way.
        case reset
    }

    /// What the client owes.
    private enum Debt {
        /// The next request, nothing of which has come.
        case request(until: Duration)
        case head(until: Duration)
        /// Some bytes of a body until the next look.
        case body(until: Duration, received: Int)
        /// Nothing: its request is whole, and it waits for the answer.
        case nothing
    }

    private let limits: SlowClientLimits
    private var debt: Debt
    /// Requests whose answer is not out; more than one where a client sends the next before it has the last answer.
    private var unanswered = 0
    /// When to look at an answer that does not get through, and how far it was then.
    private var stall: (until: Duration, acknowledged: UInt64)?

    /// A connection that begins now.
    package init(_ limits: SlowClientLimits, now: Duration) {
        self.limits = limits
        debt = .head(until: now + limits.head)
    }

    /// When to call `due`; nil: not as things stand.
    package var deadline: Duration? {
        let owed: Duration? =
            switch debt {
            case .request(let until), .head(let until), .body(let until, _): until
            case .nothing: nil
            }
        return [owed, stall?.until].compactMap { $0 }.min()
    }

    /// Bytes arrived, of whatever.
    package mutating func arrived(now: Duration) {
        if case .request = debt { debt = .head(until: now + limits.head) }
    }

    /// A head is whole.
    package mutating func head(now: Duration) {
        unanswered += 1
        debt = .body(until: now + limits.look, received: 0)
    }

    /// A piece of a body arrived.
    package mutating func body(_ count: Int) {
        if case .body(let until, let received) = debt { debt = .body(until: until, received: received + count) }
    }

    /// A request is whole; whether the client is owed an answer, rather than having got it before it had sent everything.
    package mutating func end() -> Bool {
        guard unanswered > 0 else { return false }
        debt = .nothing
        return true
    }

    /// An answer is out; whether nothing else is owed to the client now.
    package mutating func answered(now: Duration) -> Bool {
        unanswered -= 1
        guard unanswered == 0 else { return false }
        debt = .request(until: now + limits.keepAlive)
        return true
    }

    /// No more of an answer can be written before the client takes some; its kernel has confirmed so much.
    package mutating func blocked(acknowledged: UInt64, now: Duration) { stall = (now + limits.stall, acknowledged) }

    /// There is room again.
    package mutating func unblocked() { stall = nil }

    /// The deadline may have come; what to do then.
    ///
    /// - Parameter acknowledged: bytes of all answers that the client's kernel has confirmed.
    package mutating func due(acknowledged: UInt64, now: Duration) -> Verdict? {
        if let stall, now >= stall.until {
            guard acknowledged > stall.acknowledged else { return .reset }
            blocked(acknowledged: acknowledged, now: now)
        }
        switch debt {
        case .request(let until), .head(let until): return now >= until ? .close : nil
        case .body(let until, let received):
            guard now >= until else { return nil }
            guard received >= limits.bytesPerLook else { return .close }
            debt = .body(until: now + limits.look, received: 0)
            return nil
        case .nothing: return nil
        }
    }
}
