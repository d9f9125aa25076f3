import Glibc
import Supervisor
import Testing

@Suite struct ListeningSocketTests {
    @Test(arguments: ["127.0.0.1", "0.0.0.0", "localhost", ""])
    func listensOnAFreePort(host: String) throws {
        let socket = try ListeningSocket(host: host, port: 0)
        #expect(socket.port > 0)
        #expect(socket.name.hasSuffix(":\(socket.port)"))
        #expect(connects(socket.target))
    }

    @Test func anEmptyHostMeansAllAddressesOfBothFamilies() throws {
        let socket = try ListeningSocket(host: "", port: 0)
        var addresses = [loopback(socket.port)]
        // A machine without IPv6 has one family.
        if socket.target.family == AF_INET6 { addresses.append(socket.target) }
        for address in addresses { #expect(connects(address), "\(address)") }
        #expect(socket.url() == "http://\(addresses.count == 2 ? "[::]" : "0.0.0.0"):\(socket.port)")
    }

    @Test func theURLHasTheRealPort() throws {
        let socket = try ListeningSocket(host: "127.0.0.1", port: 0)
        #expect(socket.port > 0 && socket.url() == "http://127.0.0.1:\(socket.port)")
    }

    @Test func aTakenAddressIsNotPassedOverForAnotherFamily() throws {
        let first = try ListeningSocket(host: "127.0.0.1", port: 0)
        for host in ["localhost", ""] {
            let failure = #expect(throws: ListeningError.self) {
                _ = try ListeningSocket(host: host, port: first.port).port
            }
            guard case .taken = failure else { Issue.record("\(host): \(String(describing: failure))"); continue }
        }
    }

    @Test(arguments: [
        ("http://127.0.0.1", "without scheme"), ("10.0.0.0/8", "mask"), ("192.0.2.1", "no such address"),
        ("no-such-host.invalid", "'no-such-host.invalid'"),
    ])
    func aHostThatIsNoneOfThisMachineIsToldInWords(host: String, words: String) {
        let failure = #expect(throws: ListeningError.self) { _ = try ListeningSocket(host: host, port: 0).port }
        #expect(failure?.description.contains(words) == true, "\(String(describing: failure))")
    }

    @Test func aTakenPortIsNamedWithItsHolder() throws {
        let first = try ListeningSocket(host: "127.0.0.1", port: 0)
        let failure = #expect(throws: ListeningError.self) {
            _ = try ListeningSocket(host: "127.0.0.1", port: first.port).port
        }
        guard case .taken(let address, let holder) = failure else {
            Issue.record("\(String(describing: failure))"); return
        }
        #expect(address == "127.0.0.1:\(first.port)")
        #expect(holder?.hasPrefix("pid ") == true)
        #expect(failure?.description.contains("already in use") == true)
    }

    @Test func aPortIsFreeAgainAtOnceAfterAConnection() throws {
        var port = 0
        do {
            let first = try ListeningSocket(host: "127.0.0.1", port: 0)
            port = first.port
            #expect(connects(first.target))
        }
        let second = try ListeningSocket(host: "127.0.0.1", port: port)
        #expect(second.port == port)
    }

    @Test func aHostThatMeansNothingIsNamed() {
        let failure = #expect(throws: ListeningError.self) {
            _ = try ListeningSocket(host: "no such host", port: 0).port
        }
        #expect(failure?.description.contains("'no such host'") == true)
    }

    private func loopback(_ port: Int) -> SocketTarget {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(port).bigEndian
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        return withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                SocketTarget(family: AF_INET, copying: $0, length: socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
    }

    private func connects(_ target: SocketTarget) -> Bool {
        let descriptor = socket(target.family, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        return target.withPointer { connect(descriptor, $0, $1) } == 0
    }
}
