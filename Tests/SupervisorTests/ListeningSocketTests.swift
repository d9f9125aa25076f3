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

    private func connects(_ target: SocketTarget) -> Bool {
        let descriptor = socket(target.family, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        return target.withPointer { connect(descriptor, $0, $1) } == 0
    }
}
