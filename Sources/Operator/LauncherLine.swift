internal import CPlatform
internal import ChildRuntime
internal import Glibc
package import Messages
internal import Transport

/// An operator's line to a launcher: one question, one answer.
package enum LauncherLine {
    /// Asks and waits; nil when no answer came in time or the launcher ended meanwhile.
    package static func ask(_ server: RunningServer, _ request: OperatorRequest, within seconds: Double) throws
        -> OperatorAnswer?
    {
        let socket = try DealerSocket(connecting: Endpoint(.supervisor, in: server.directory), in: Context())
        try socket.send(.make { $0.operatorRequest = request })
        let end = platform_pidfd_open(server.pid)
        defer { if end >= 0 { close(end) } }
        let deadline = monotonicMilliseconds() + UInt64(seconds * 1000)
        while true {
            while let order = try socket.receive() {
                if case .operatorAnswer(let answer)? = order.order, answer.call == request.call { return answer }
            }
            let now = monotonicMilliseconds()
            guard now < deadline else { return nil }
            let pause = Duration.milliseconds(Int(min(deadline - now, 60_000)))
            if try !socket.wait(or: end >= 0 ? [end] : [], within: pause).isEmpty { return nil }
        }
    }
}
