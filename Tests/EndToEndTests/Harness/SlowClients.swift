import Foundation
import Glibc
import TestSupport

/// Clients that hold connections without using them, all on one thread: some send a byte of a request now and then, some
/// ask for a long stream and read nothing of it. Whoever is thrown out comes again.
final class SlowClients: Sendable {
    /// What a client does.
    enum Habit: Sendable {
        /// A header that never ends, byte by byte.
        case head
        /// A whole head, and then the body byte by byte.
        case body
        /// A whole request, whose answer is not read.
        case deaf(request: [UInt8])
    }

    /// What became of them.
    struct Tally: Sendable {
        var connections = 0
        var closedByServer = 0
        var bytes = 0
    }

    private struct Client {
        var descriptor: Int32 = -1
        let habit: Habit
        /// What is to be sent at once, before single bytes.
        var opening: ArraySlice<UInt8> = []
    }

    /// POLLRDHUP, which Swift's view of glibc lacks.
    private static let peerHungUp: Int16 = 0x2000

    private let port: Int
    private let board = EventBoard((tally: Tally(), rounds: 0, isOver: false))

    /// Starts them; each sends a byte in each `interval` seconds.
    init(port: Int, _ habits: [Habit], interval: Double) {
        self.port = port
        let thread = Thread { [self] in
            var clients = habits.map { Client(habit: $0) }
            run(&clients, interval)
            for client in clients where client.descriptor >= 0 { close(client.descriptor) }
            board.update { $0.rounds = .max }
        }
        thread.start()
    }

    var tally: Tally { board.now.tally }

    /// Waits until each has had its turn so many more times.
    func rounds(_ count: Int) throws {
        let first = board.now.rounds
        guard board.wait(for: { $0.rounds >= first + count ? () : nil }) != nil else {
            throw HarnessError("the slow clients do not get their turn")
        }
    }

    /// Ends them and waits until their connections are closed.
    func stop() {
        board.update { $0.isOver = true }
        _ = board.wait { $0.rounds == .max ? () : nil }
    }

    /// A slice of the clients has its turn every twentieth of the interval.
    private func run(_ clients: inout [Client], _ interval: Double) {
        let slices = 20
        while true {
            for slice in 0..<slices {
                let over: Void? = board.wait(seconds: interval / Double(slices)) { $0.isOver ? () : nil }
                if over != nil { return }
                var news = Tally()
                for index in stride(from: slice, to: clients.count, by: slices) { serve(&clients[index], &news) }
                board.update { state in
                    state.tally.connections += news.connections
                    state.tally.closedByServer += news.closedByServer
                    state.tally.bytes += news.bytes
                }
            }
            board.update { $0.rounds += 1 }
        }
    }

    /// One turn of one client: connect, or send what is due, or notice that the server has hung up.
    private func serve(_ client: inout Client, _ tally: inout Tally) {
        guard client.descriptor >= 0 else {
            open(&client)
            if client.descriptor >= 0 { tally.connections += 1 }
            // On this machine a connection is there at once; the request's beginning goes out with it.
            return send(&client, &tally)
        }
        send(&client, &tally)
    }

    private func send(_ client: inout Client, _ tally: inout Tally) {
        guard client.descriptor >= 0 else { return }
        let due = client.opening.isEmpty ? [UInt8(ascii: "a")][...] : client.opening
        var isDeaf = false
        if case .deaf = client.habit { isDeaf = true }
        if !isDeaf || !client.opening.isEmpty {
            let sent = due.withUnsafeBytes {
                Glibc.send(client.descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            if sent > 0 {
                tally.bytes += sent
                client.opening = client.opening.dropFirst(sent)
            } else if errno != EAGAIN, errno != ENOTCONN, errno != EINTR {
                return hangUp(&client, &tally)
            }
        }
        // A deaf client must not read its answer, but its end shows in the state of the connection.
        var state = pollfd(fd: client.descriptor, events: Self.peerHungUp, revents: 0)
        if Glibc.poll(&state, 1, 0) > 0 { hangUp(&client, &tally) }
    }

    private func hangUp(_ client: inout Client, _ tally: inout Tally) {
        close(client.descriptor)
        client.descriptor = -1
        tally.closedByServer += 1
    }

    private func open(_ client: inout Client) {
        let flags = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue) | Int32(SOCK_NONBLOCK.rawValue)
        client.descriptor = socket(AF_INET, flags, 0)
        guard client.descriptor >= 0 else { return }
        if case .deaf = client.habit {
            var room: Int32 = 4096
            setsockopt(client.descriptor, SOL_SOCKET, SO_RCVBUF, &room, 4)
        }
        var address = sockaddr_in(loopback: port)
        let code = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(client.descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard code == 0 || errno == EINPROGRESS else {
            close(client.descriptor)
            client.descriptor = -1
            return
        }
        switch client.habit {
        case .head: client.opening = Array("POST /generate HTTP/1.1\r\nHost: localhost\r\nX-Slow: ".utf8)[...]
        case .body:
            client.opening =
                Array(
                    "POST /generate HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n\r\n{".utf8)[...]
        case .deaf(let request): client.opening = request[...]
        }
    }
}
