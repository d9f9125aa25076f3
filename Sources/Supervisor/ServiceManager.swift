internal import CPlatform
internal import ChildRuntime
internal import Glibc

/// Tells systemd how the server is, where systemd started it: ready, stopping, alive (sd_notify(3), the datagrams of
/// NOTIFY_SOCKET). Where it did not, every call does nothing.
package struct ServiceManager: ~Copyable {
    private let socket: Int32
    private let address: sockaddr_un
    private let addressLength: socklen_t
    /// Seconds between two signs of life; half of what systemd allows. Nil when it does not watch.
    private let interval: Double?
    private var lastSign = -Double.infinity
    private var told = ""

    /// Takes the socket's path from NOTIFY_SOCKET, unless another is given, and the time from WATCHDOG_USEC.
    package init(path: String? = getenv("NOTIFY_SOCKET").map { String(cString: $0) }) {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let capacity = MemoryLayout.size(ofValue: address.sun_path)
        guard let path, !path.isEmpty, path.utf8.count < capacity else {
            (socket, self.address, addressLength, interval) = (-1, address, 0, nil)
            return
        }
        withUnsafeMutableBytes(of: &address.sun_path) { bytes in
            bytes.copyBytes(from: path.utf8)
            // An @ stands for the zero byte of an abstract name.
            if path.hasPrefix("@") { bytes[0] = 0 }
        }
        self.address = address
        addressLength = socklen_t(MemoryLayout<sa_family_t>.size + path.utf8.count)
        socket = Glibc.socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        let forUs = getenv("WATCHDOG_PID").flatMap { Int32(String(cString: $0)) } ?? getpid() == getpid()
        let microseconds = getenv("WATCHDOG_USEC").flatMap { Double(String(cString: $0)) }
        interval = forUs ? microseconds.map { $0 / 2e6 } : nil
    }

    deinit { if socket >= 0 { close(socket) } }

    /// Looks at the server once a round of the loop.
    package mutating func notice(status: String, now: Double) {
        guard socket >= 0 else { return }
        if status != told {
            // Ready is said once; what comes after is only a status. systemd takes a second READY=1 as nothing new.
            let state =
                status == "serving" ? "READY=1\n" : ["draining", "stopping"].contains(status) ? "STOPPING=1\n" : ""
            send(state + "STATUS=\(status)")
            told = status
        }
        if let interval, now - lastSign >= interval {
            send("WATCHDOG=1")
            lastSign = now
        }
    }

    private func send(_ text: String) {
        var address = address
        withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { name in
                _ = Array(text.utf8).withUnsafeBytes {
                    sendto(socket, $0.baseAddress, $0.count, Int32(MSG_DONTWAIT), name, addressLength)
                }
            }
        }
    }
}
