internal import Glibc
internal import Ledger
internal import Synchronization

/// How many bytes of request bodies may be in work at one time, so that many large requests cannot fill the memory.
///
/// A request holds its part from the first byte of its body until its answer has ended. One request always fits when
/// nobody else holds anything: its own limit is `--max-body-size`.
package final class BodyBudget: Sendable {
    private let limit: Int
    private let used = Atomic<Int>(0)

    /// - Parameter limit: bytes that all requests may hold together.
    package init(limit: Int) { self.limit = limit }

    /// An eighth of the machine's memory: parsed requests take several times the bytes of their bodies.
    package static var sensibleLimit: Int { sysconf(Int32(_SC_PHYS_PAGES)) / 8 * sysconf(Int32(_SC_PAGESIZE)) }

    /// Takes `count` bytes more for a request that holds `mine` already.
    ///
    /// - Throws: `.bodiesFull` when others hold too much; nothing is taken then.
    func take(_ count: Int, behind mine: Int) throws(RequestFailure) {
        let now = used.wrappingAdd(count, ordering: .relaxed).newValue
        if now > limit, now > mine + count {
            give(count)
            throw .bodiesFull
        }
    }

    /// Gives bytes back.
    func give(_ count: Int) { used.wrappingSubtract(count, ordering: .relaxed) }
}

/// What one request holds of the budget; give it back when the answer has ended.
package final class BodyShare: Sendable {
    private let budget: BodyBudget
    private let held = Atomic<Int>(0)
    /// Most bytes of the one body (`--max-body-size`).
    let limit: Int

    /// A share that holds nothing yet.
    package init(of budget: BodyBudget, limit: Int) {
        self.budget = budget
        self.limit = limit
    }

    /// Takes more bytes.
    ///
    /// - Throws: `.bodiesFull` when there are none.
    func take(_ count: Int) throws(RequestFailure) {
        try budget.take(count, behind: held.load(ordering: .relaxed))
        held.wrappingAdd(count, ordering: .relaxed)
    }

    /// Gives everything back.
    package func giveBack() { budget.give(held.exchange(0, ordering: .relaxed)) }
}
