import Glibc
import Supervisor
import Testing

@Suite(.timeLimit(.minutes(1))) struct WarmupRequestTests {
    @Test(arguments: [
        ("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}", WarmupRequest.Outcome.answered),
        ("HTTP/1.1 503 Service Unavailable\r\n\r\nloading", .failed("HTTP/1.1 503 Service Unavailable: loading")),
        ("HTTP/1.1 500 Oops\r\n\r\n", .failed("HTTP/1.1 500 Oops")),
        ("", .failed("the connection was closed without an answer")),
    ])
    func onlyTwoHundredCounts(answer: String, outcome: WarmupRequest.Outcome) {
        #expect(WarmupRequest.judge(answer) == outcome)
    }

    @Test func sendsARealRequestAndTellsWhenItIsAnswered() throws {
        let listener = try ListeningSocket(host: "127.0.0.1", port: 0)
        let request = WarmupRequest(
            attempt: 3, to: listener.target, path: "/generate", body: "{\"text\":\"hi\"}", apiKey: "secret", timeout: 30
        )
        let connection = accept(listener.descriptor, nil, nil)
        var bytes = [UInt8](repeating: 0, count: 4096)
        var seen = ""
        while !seen.hasSuffix("}") {
            let count = read(connection, &bytes, bytes.count)
            seen += String(decoding: bytes[..<max(0, count)], as: UTF8.self)
            if count <= 0 { break }
        }
        #expect(seen.hasPrefix("POST /generate HTTP/1.1\r\n") && seen.hasSuffix("\r\n\r\n{\"text\":\"hi\"}"))
        #expect(seen.contains("Content-Length: 13\r\n") && seen.contains("Authorization: Bearer secret\r\n"))
        #expect(request.result == nil)
        let answer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
        write(connection, answer, answer.utf8.count)
        close(connection)
        var item = pollfd(fd: request.doneDescriptor, events: Int16(POLLIN), revents: 0)
        poll(&item, 1, -1)
        #expect(request.result == .answered && request.attempt == 3)
    }
}
