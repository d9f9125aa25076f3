/// What can go wrong between two processes of one server.
package enum TransportError: Error, Equatable, CustomStringConvertible {
    /// A ZeroMQ call failed: which call, on which endpoint, and the library's own words.
    case socket(call: String, endpoint: String, reason: String)
    /// Nobody took the message within the time allowed.
    case timedOut(endpoint: String)
    /// A frame arrived that is not the message this endpoint expects.
    case malformed(endpoint: String, reason: String)
    /// The path of an `ipc://` endpoint is longer than the operating system allows.
    case pathTooLong(String)

    package var description: String {
        switch self {
        case .socket(let call, let endpoint, let reason): "\(call) on \(endpoint) failed: \(reason)"
        case .timedOut(let endpoint): "nobody took a message on \(endpoint) in time"
        case .malformed(let endpoint, let reason): "malformed message on \(endpoint): \(reason)"
        case .pathTooLong(let path): "socket path is longer than \(Endpoint.maximumPathLength) bytes: \(path)"
        }
    }
}
