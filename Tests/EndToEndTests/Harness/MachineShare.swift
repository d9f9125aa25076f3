import Synchronization
import TestSupport
import Testing

/// How much of the machine a suite needs: `@Suite(.serialized, .share(.half))`.
///
/// A server has threads for all cores, so only few suites may run at a time; one that judges how long streams stand still, or
/// that loads the machine on purpose, runs alone.
struct MachineShare: SuiteTrait, TestScoping {
    /// Parts of the machine, in halves.
    enum Size: Int {
        case half = 1
        case whole = 2
    }

    private static let machine = Permits(Size.whole.rawValue)
    let size: Size

    func provideScope(
        for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void
    ) async throws {
        await Self.machine.take(size.rawValue)
        defer { Self.machine.give(size.rawValue) }
        try await BlockingThreads.run(function)
    }
}

extension Trait where Self == MachineShare {
    /// The part of the machine that the suite takes while it runs.
    static func share(_ size: MachineShare.Size) -> Self { MachineShare(size: size) }
}

/// Permits that are handed out in the order in which they were asked for, so that nobody who wants many waits for ever.
private final class Permits: Sendable {
    private struct State {
        var free: Int
        var waiting: [(count: Int, resume: CheckedContinuation<Void, Never>)] = []

        /// Takes from the queue whoever can go on.
        mutating func admit() -> [CheckedContinuation<Void, Never>] {
            var admitted: [CheckedContinuation<Void, Never>] = []
            while let first = waiting.first, first.count <= free {
                free -= first.count
                admitted.append(waiting.removeFirst().resume)
            }
            return admitted
        }
    }

    private let state: Mutex<State>

    init(_ count: Int) { state = Mutex(State(free: count)) }

    func take(_ count: Int) async {
        await withCheckedContinuation { continuation in
            let admitted = state.withLock { state in
                state.waiting.append((count, continuation))
                return state.admit()
            }
            for next in admitted { next.resume() }
        }
    }

    func give(_ count: Int) {
        let admitted = state.withLock { state in
            state.free += count
            return state.admit()
        }
        for next in admitted { next.resume() }
    }
}
