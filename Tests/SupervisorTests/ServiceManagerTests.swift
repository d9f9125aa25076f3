import Glibc
import Supervisor
import TestSupport
import Testing

/// What systemd hears of a server.
@Suite struct ServiceManagerTests {
    /// Receives datagrams on a path, as systemd does.
    private struct Listener: ~Copyable {
        let descriptor: Int32

        init(_ path: String) {
            descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue), 0)
            var address = sockaddr_un()
            address.sun_family = sa_family_t(AF_UNIX)
            withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
            let result = withUnsafePointer(to: &address) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
                }
            }
            precondition(result == 0, "bind failed")
        }

        deinit { close(descriptor) }

        /// The datagrams that have arrived.
        func take() -> [String] {
            var all: [String] = []
            var bytes = [UInt8](repeating: 0, count: 4096)
            while true {
                let count = recv(descriptor, &bytes, bytes.count, Int32(MSG_DONTWAIT))
                if count < 0 { return all }
                all.append(String(decoding: bytes[..<count], as: UTF8.self))
            }
        }
    }

    @Test func hearsEachChangeOnceAndReadyWhenItServes() throws {
        let folder = TemporaryFolder()
        let listener = Listener(folder.path + "/notify")
        var manager = ServiceManager(path: folder.path + "/notify")
        for (status, now) in [("starting", 1.0), ("starting", 2), ("serving", 3), ("serving", 4), ("degraded", 5)] {
            manager.notice(status: status, now: now)
        }
        #expect(listener.take() == ["STATUS=starting", "READY=1\nSTATUS=serving", "STATUS=degraded"])
        manager.notice(status: "draining", now: 6)
        #expect(listener.take() == ["STOPPING=1\nSTATUS=draining"])
    }

    @Test func withoutSystemdNothingHappens() {
        var manager = ServiceManager(path: nil)
        manager.notice(status: "serving", now: 1)
        var lost = ServiceManager(path: "/nonexistent/notify")
        lost.notice(status: "serving", now: 1)
    }
}
