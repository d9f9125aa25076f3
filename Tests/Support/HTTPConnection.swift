internal import Foundation
package import Glibc
package import JSON

/// How a connection to the server can fail.
package enum ConnectionError: Error, Equatable {
    /// Nobody listens.
    case refused
    /// The server closed or reset the connection in the middle of an answer, or before one.
    case lost
    /// Nothing came for too long.
    case silent
    /// The answer is not HTTP as this client knows it.
    case malformed(String)
}

/// An answer as a whole.
package struct HTTPAnswer: Sendable {
    package let status: Int
    package let headers: [String: String]
    package let body: [UInt8]

    package var text: String { String(decoding: body, as: UTF8.self) }

    package func json() throws -> JSONValue {
        do { return try JSON.parse(text) } catch {
            throw HarnessError("status \(status), \(error): \(text.prefix(500))")
        }
    }
}

/// A connection as bytes in both directions, blocking, that can be closed at any moment.
package protocol Wire: AnyObject {
    /// Sends everything.
    func write(_ bytes: [UInt8]) throws
    /// What has come, at least one byte of it.
    func read() throws -> [UInt8]
}

/// A wire without encryption.
private final class PlainWire: Wire {
    private let descriptor: Int32

    init(port: Int) throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw HarnessError("socket: \(String(cString: strerror(errno)))") }
        var limit = timeval(tv_sec: Int(patience), tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        var one: Int32 = 1
        setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &one, 4)
        var address = sockaddr_in(loopback: port)
        let code = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard code == 0 else { throw errno == ECONNREFUSED ? ConnectionError.refused : ConnectionError.lost }
    }

    deinit { close(descriptor) }

    func write(_ bytes: [UInt8]) throws {
        var sent = 0
        while sent < bytes.count {
            let count = bytes.withUnsafeBytes {
                Glibc.send(descriptor, $0.baseAddress! + sent, $0.count - sent, Int32(MSG_NOSIGNAL))
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw errno == EAGAIN ? ConnectionError.silent : ConnectionError.lost }
            sent += count
        }
    }

    func read() throws -> [UInt8] {
        var chunk = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = recv(descriptor, &chunk, chunk.count, 0)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw count < 0 && errno == EAGAIN ? ConnectionError.silent : ConnectionError.lost }
            return Array(chunk[..<count])
        }
    }
}

/// One connection that speaks HTTP/1.1, blocking, and can be closed at any moment.
package final class HTTPConnection {
    private let wire: any Wire
    private var buffer: [UInt8] = []
    private var consumed = 0
    /// Bytes of the body that are still to come; nil: it comes in chunks.
    private var remaining: Int?
    private var isBodyOver = true

    /// Speaks on a wire that is there.
    package init(_ wire: any Wire) { self.wire = wire }

    /// Connects to a port of this machine.
    package convenience init(port: Int) throws { self.init(try PlainWire(port: port)) }

    /// Sends a request; a body makes it a POST of JSON.
    package func send(
        _ path: String, _ body: JSONValue? = nil, method: String? = nil, headers: [(String, String)] = []
    ) throws {
        try send(path, bytes: body.map { JSON.encode($0) }, method: method, headers: headers)
    }

    /// Sends a request whose body may be anything.
    package func send(
        _ path: String, bytes body: [UInt8]?, method: String? = nil, headers: [(String, String)] = []
    ) throws {
        let bytes = body ?? []
        var head = "\(method ?? (body == nil ? "GET" : "POST")) \(path) HTTP/1.1\r\nHost: localhost\r\n"
        if body != nil { head += "Content-Type: application/json\r\nContent-Length: \(bytes.count)\r\n" }
        for (name, value) in headers { head += "\(name): \(value)\r\n" }
        try wire.write(Array((head + "\r\n").utf8) + bytes)
    }

    private func fill() throws {
        if consumed > 0 {
            buffer.removeFirst(consumed)
            consumed = 0
        }
        buffer += try wire.read()
    }

    private func line() throws -> String {
        while true {
            if let end = buffer[consumed...].firstIndex(of: 10) {
                let text = String(decoding: buffer[consumed..<end], as: UTF8.self)
                consumed = end + 1
                return text.hasSuffix("\r") ? String(text.dropLast()) : text
            }
            try fill()
        }
    }

    private func take(_ count: Int) throws -> [UInt8] {
        while buffer.count - consumed < count { try fill() }
        defer { consumed += count }
        return Array(buffer[consumed..<consumed + count])
    }

    /// Reads the status and the headers of the answer, names in lower case.
    package func head() throws -> (status: Int, headers: [String: String]) {
        let first = try line().split(separator: " ")
        guard first.count >= 2, let status = Int(first[1]) else { throw ConnectionError.malformed("\(first)") }
        var headers: [String: String] = [:]
        while true {
            let text = try line()
            guard !text.isEmpty else { break }
            let parts = text.split(separator: ":", maxSplits: 1)
            guard parts.count == 2 else { throw ConnectionError.malformed(text) }
            headers[parts[0].lowercased()] = parts[1].trimmingCharacters(in: .whitespaces)
        }
        isBodyOver = false
        remaining = headers["transfer-encoding"] == "chunked" ? nil : Int(headers["content-length"] ?? "0")
        return (status, headers)
    }

    /// The next piece of the body; nil at its end.
    package func piece() throws -> [UInt8]? {
        guard !isBodyOver else { return nil }
        if let rest = remaining {
            isBodyOver = true
            return rest == 0 ? nil : try take(rest)
        }
        guard let size = Int(try line(), radix: 16) else { throw ConnectionError.malformed("size of a chunk") }
        guard size > 0 else {
            while try !line().isEmpty {}
            isBodyOver = true
            return nil
        }
        let bytes = try take(size)
        _ = try line()
        return bytes
    }

    /// Reads an answer as a whole.
    package func answer() throws -> HTTPAnswer {
        let head = try head()
        var body: [UInt8] = []
        while let piece = try piece() { body += piece }
        return HTTPAnswer(status: head.status, headers: head.headers, body: body)
    }

    /// Reads server-sent events until the end, or until `take` says no more; true when the stream was read to its `[DONE]`.
    package func events(_ take: (JSONValue) throws -> Bool) throws -> Bool {
        var text: [UInt8] = []
        var isDone = false
        while let piece = try piece() {
            text += piece
            while let end = text.firstRange(of: [10, 10]) {
                let event = String(decoding: text[..<end.lowerBound], as: UTF8.self)
                text.removeSubrange(..<end.upperBound)
                guard event.hasPrefix("data: "), !isDone else { throw ConnectionError.malformed(event) }
                let data = String(event.dropFirst(6))
                isDone = data == "[DONE]"
                if !isDone, try !take(JSON.parse(data)) { return false }
            }
        }
        guard isDone, text.isEmpty else { throw ConnectionError.malformed("the stream ends without [DONE]") }
        return true
    }
}

extension sockaddr_in {
    /// A port of this machine.
    package init(loopback port: Int) {
        self.init()
        sin_family = sa_family_t(AF_INET)
        sin_port = in_port_t(port).bigEndian
        sin_addr.s_addr = in_addr_t(0x7f00_0001).bigEndian
    }
}
