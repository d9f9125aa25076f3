internal import Dispatch
package import Testing

/// Runs the tests of a suite on threads of their own: `@Suite(.blocking)`, for tests that wait in the kernel.
///
/// Tests share as few threads as there are cores with all asynchronous work of the process. A test that waits there for a
/// server of the same process would hold the thread that the server needs.
package struct BlockingThreads: SuiteTrait, TestScoping {
    /// See `blocking`.
    package func provideScope(
        for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void
    ) async throws {
        try await Self.run(function)
    }

    /// Runs a test's body, and what it starts, on threads that may block.
    package static func run(_ body: @Sendable () async throws -> Void) async throws {
        try await withTaskExecutorPreference(threads) { try await body() }
    }

    private static let threads = Threads()

    /// As many threads as jobs want at a time.
    private final class Threads: TaskExecutor {
        private let queue = DispatchQueue(label: "blocking tests", attributes: .concurrent)

        func enqueue(_ job: consuming ExecutorJob) {
            let job = UnownedJob(job)
            queue.async { job.runSynchronously(on: self.asUnownedTaskExecutor()) }
        }
    }
}

extension Trait where Self == BlockingThreads {
    /// The suite's tests may wait in the kernel.
    package static var blocking: Self { BlockingThreads() }
}
