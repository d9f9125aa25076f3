internal import Foundation

/// Something that did not happen in time, or that should not have happened; its text is what the test's failure shows.
package struct HarnessError: Error, CustomStringConvertible {
    package let description: String

    package init(_ description: String) { self.description = description }
}

/// How long a wait for an event may last: far longer than the event takes on a busy machine, as only failing tests wait so long.
package let patience = 60.0

/// A value shared by threads, with waiting for it to become what one hopes for.
package final class EventBoard<State: Sendable>: @unchecked Sendable {
    private let condition = NSCondition()
    private var state: State

    package init(_ state: State) { self.state = state }

    /// The value now.
    package var now: State {
        condition.lock()
        defer { condition.unlock() }
        return state
    }

    /// Changes the value and wakes whoever waits for it.
    @discardableResult
    package func update<R>(_ change: (inout State) -> R) -> R {
        condition.lock()
        defer {
            condition.broadcast()
            condition.unlock()
        }
        return change(&state)
    }

    /// Waits until `look` finds something in the value; nil when the patience ends before.
    package func wait<R>(seconds: Double = patience, for look: (State) -> R?) -> R? {
        let deadline = Date(timeIntervalSinceNow: seconds)
        condition.lock()
        defer { condition.unlock() }
        while true {
            if let found = look(state) { return found }
            if !condition.wait(until: deadline) { return look(state) }
        }
    }
}

/// Runs `body` for 0..<count, each on a thread of its own, and gives the results in that order.
///
/// - Throws: the error of the lowest index that failed, after all have ended.
package func concurrently<R: Sendable>(_ count: Int, _ body: @escaping @Sendable (Int) throws -> R) throws -> [R] {
    try started(count, body).results()
}

/// Starts `body` for 0..<count, each on a thread of its own, and does not wait.
package func started<R: Sendable>(_ count: Int, _ body: @escaping @Sendable (Int) throws -> R) -> Crew<R> {
    let crew = Crew<R>(count)
    for index in 0..<count {
        let thread = Thread { crew.note(index, Result { try body(index) }) }
        thread.stackSize = 1 << 20
        thread.start()
    }
    return crew
}

/// Threads under way and what they gave.
package final class Crew<R: Sendable>: Sendable {
    private let board: EventBoard<[Result<R, any Error>?]>

    package init(_ count: Int) { board = EventBoard(Array(repeating: nil, count: count)) }

    package func note(_ index: Int, _ result: Result<R, any Error>) { board.update { $0[index] = result } }

    /// How many have ended.
    package var ended: Int { board.now.count { $0 != nil } }

    /// What those say that have failed so far.
    package var failures: [String] {
        board.now.compactMap { if case .failure(let error)? = $0 { "\(error)" } else { nil } }
    }

    /// What all gave, when all have ended.
    package func results() throws -> [R] {
        // Each thread's own waits have deadlines.
        guard let all = board.wait(seconds: 4 * patience, for: { $0.allSatisfy { $0 != nil } ? $0 : nil }) else {
            throw HarnessError("\(board.now.count { $0 == nil }) threads did not end")
        }
        return try all.map { try $0!.get() }
    }
}

/// Looks again and again, 20 times a second, until `look` finds something: for states that tell nobody when they change.
///
/// - Throws: the last of what `complaint` says, when the patience ends before.
package func poll<R>(_ complaint: @autoclosure () -> String, _ look: () throws -> R?) throws -> R {
    let deadline = Date(timeIntervalSinceNow: patience)
    while true {
        if let found = try look() { return found }
        guard Date() < deadline else { throw HarnessError(complaint()) }
        usleep(50_000)
    }
}
