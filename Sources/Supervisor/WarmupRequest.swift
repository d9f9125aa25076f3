internal import CPlatform
internal import ChildRuntime
internal import Glibc
internal import Synchronization

/// One HTTP request of the launcher to its own server, on a thread of its own; `doneDescriptor` becomes readable at its end.
package final class WarmupRequest: Sendable {
    package let attempt: Int
    package let doneDescriptor: Int32
    private let outcome = Mutex<Outcome?>(nil)

    /// How it ended.
    package enum Outcome: Sendable, Equatable {
        case answered
        case failed(String)
    }

    /// Sends `POST path` with a JSON body; `timeout` seconds for each wait.
    package init(attempt: Int, to target: SocketTarget, path: String, body: String, apiKey: String?, timeout: Int) {
        self.attempt = attempt
        doneDescriptor = platform_event_descriptor()
        let key = apiKey.map { "Authorization: Bearer \($0)\r\n" } ?? ""
        let request =
            "POST \(path) HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\(key)"
            + "Content-Length: \(body.utf8.count)\r\nConnection: close\r\n\r\n\(body)"
        startDetachedThread { [self] in
            let result = Self.exchange(request, target, timeout)
            outcome.withLock { $0 = result }
            platform_event_signal(doneDescriptor)
        }
    }

    deinit { close(doneDescriptor) }

    /// The outcome once it is there.
    package var result: Outcome? { outcome.withLock { $0 } }

    private static func exchange(_ request: String, _ target: SocketTarget, _ timeout: Int) -> Outcome {
        let descriptor = socket(target.family, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { return failure("socket") }
        defer { close(descriptor) }
        var patience = timeval(tv_sec: timeout, tv_usec: 0)
        for option in [SO_RCVTIMEO, SO_SNDTIMEO] {
            setsockopt(descriptor, SOL_SOCKET, option, &patience, socklen_t(MemoryLayout<timeval>.size))
        }
        guard target.withPointer({ connect(descriptor, $0, $1) }) == 0 else { return failure("connect") }
        let bytes = Array(request.utf8)
        guard send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL)) == bytes.count else { return failure("send") }
        var answer: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 4096)
        while answer.count < 1 << 16 {
            let count = recv(descriptor, &chunk, chunk.count, 0)
            if count < 0 {
                if errno == EINTR { continue }
                return errno == EAGAIN ? .failed("no answer within \(timeout) s") : failure("recv")
            }
            if count == 0 { break }
            answer += chunk[..<count]
        }
        return judge(String(decoding: answer, as: UTF8.self))
    }

    private static func failure(_ call: String) -> Outcome { .failed("\(call): \(String(cString: strerror(errno)))") }

    /// Reads the status line; anything but 200 is a failure that shows what was said.
    package static func judge(_ answer: String) -> Outcome {
        let status = answer.prefix { $0 != "\r\n" && $0 != "\n" }
        guard !status.isEmpty else { return .failed("the connection was closed without an answer") }
        if status.split(separator: " ").dropFirst().first == "200" { return .answered }
        let body = answer.ranges(of: "\r\n\r\n").first.map { answer[$0.upperBound...].prefix(500) } ?? ""
        return .failed("\(status)\(body.isEmpty ? "" : ": \(body)")")
    }
}
