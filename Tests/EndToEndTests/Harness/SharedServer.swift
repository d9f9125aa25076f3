import TestSupport
import Testing

/// Gives all tests of a suite one server: `@Suite(.serialized, .server("llama-untied"))`, then `Server.shared`.
struct SharedServer: SuiteTrait, TestScoping {
    let model: String
    let flags: [String]

    func provideScope(
        for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void
    ) async throws {
        let server = try Server(model, flags)
        defer { server.destroy() }
        try await Server.$current.withValue(server) { try await function() }
    }
}

extension Trait where Self == SharedServer {
    /// One float32 server for all tests of a suite.
    static func server(_ model: String, _ flags: [String] = []) -> Self { SharedServer(model: model, flags: flags) }
}

extension Server {
    @TaskLocal fileprivate static var current: Server?

    /// The server of the suite that runs.
    static var shared: Server {
        get throws {
            guard let current else { throw HarnessError("this suite has no server") }
            return current
        }
    }
}

/// All tests with real servers. Suites share nothing, so they run side by side as far as the machine goes: each takes its
/// part of it with `.share`.
@Suite enum EndToEndTests {}
