internal import Messages
internal import Synchronization

/// Questions to other processes that wait for their one answer.
final class PendingCalls<Answer: Sendable>: Sendable {
    private struct Waiter {
        let continuation: CheckedContinuation<Answer?, Never>
        let deadline: Double
    }

    private struct State {
        var waiters: [UInt64: Waiter] = [:]
        var counter: UInt64
    }

    private let state: Mutex<State>
    private let clock: @Sendable () -> Double

    /// `generation` is the front's: answers to an earlier front find no question.
    init(generation: UInt64, clock: @escaping @Sendable () -> Double) {
        state = Mutex(State(counter: FrontGeneration.base(generation)))
        self.clock = clock
    }

    /// Asks and waits; nil when no answer came within `patience` seconds.
    func ask(patience: Double, _ send: (UInt64) -> Void) async -> Answer? {
        await withCheckedContinuation { continuation in
            let deadline = clock() + patience
            let number = state.withLock { state in
                state.counter += 1
                state.waiters[state.counter] = Waiter(continuation: continuation, deadline: deadline)
                return state.counter
            }
            send(number)
        }
    }

    /// Hands an answer to whom it belongs.
    func answer(_ number: UInt64, _ answer: Answer) {
        state.withLock { $0.waiters.removeValue(forKey: number) }?.continuation.resume(returning: answer)
    }

    /// Time passes: calls that waited too long end.
    func tick() {
        let now = clock()
        let late = state.withLock { state in
            let late = state.waiters.filter { $0.value.deadline <= now }
            for number in late.keys { state.waiters[number] = nil }
            return late
        }
        for waiter in late.values { waiter.continuation.resume(returning: nil) }
    }
}
