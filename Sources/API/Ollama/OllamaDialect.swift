package import APICore
internal import JSON
package import Ledger

/// Ollama's interface: an object with the text of the failure.
package struct OllamaDialect: Dialect {
    package init() {}

    package func body(of failure: RequestFailure) -> FailureBody { .json(frame(of: failure)) }

    package func frame(of failure: RequestFailure) -> [UInt8] { JSON.encode(["error": .string(failure.message)]) }
}
