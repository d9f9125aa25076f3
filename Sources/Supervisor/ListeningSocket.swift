package import Glibc

/// Why a server cannot listen.
package enum ListeningError: Error, Equatable, CustomStringConvertible {
    /// The host means no address.
    case unresolved(host: String, reason: String)
    /// The port is taken; by whom, where that can be found out.
    case taken(address: String, holder: String?)
    /// The operating system refused.
    case system(call: String, address: String, reason: String)

    package var description: String {
        switch self {
        case .unresolved(let host, let reason): "cannot listen on host '\(host)': \(reason)"
        case .taken(let address, let holder):
            "cannot listen on \(address): address already in use\(holder.map { ", held by \($0)" } ?? "")"
        case .system(let call, let address, let reason): "cannot listen on \(address): \(call): \(reason)"
        }
    }
}

/// The HTTP socket. The launcher opens it before anything else and keeps it, so that a taken port is an error at once and
/// connections wait in the backlog while the front is replaced.
package struct ListeningSocket: ~Copyable {
    /// Connections that the kernel holds for a front that is busy or being replaced (at most net.core.somaxconn).
    static let backlog: Int32 = 4096

    package let descriptor: Int32
    /// The port, also where the system chose it.
    package let port: Int
    /// The address as an operator writes it, e.g. `127.0.0.1:30000` or `[::1]:30000`.
    package let name: String
    /// Where the server itself reaches the socket.
    package let target: SocketTarget

    /// Binds and listens. IPv4 is preferred where a name has both; port 0 lets the system choose.
    package init(host: String, port: Int) throws(ListeningError) {
        let opened = try Self.openFirst(of: Self.resolve(host, port), Self.name(host, port))
        let bound = Self.boundAddress(of: opened)
        descriptor = opened
        self.port = bound.port
        target = bound.asTarget
        name = Self.name(host, bound.port)
    }

    /// The first address that can be had; the last one's error where none can.
    private static func openFirst(of candidates: [SocketTarget], _ name: String) throws(ListeningError) -> Int32 {
        for candidate in candidates.dropLast() {
            if let opened = try? open(candidate, name) { return opened }
        }
        guard let last = candidates.last else { throw .unresolved(host: name, reason: "no address") }
        return try open(last, name)
    }

    deinit { close(descriptor) }

    private static func name(_ host: String, _ port: Int) -> String {
        host.contains(":") && !host.hasPrefix("[") ? "[\(host)]:\(port)" : "\(host.isEmpty ? "0.0.0.0" : host):\(port)"
    }

    private static func resolve(_ host: String, _ port: Int) throws(ListeningError) -> [SocketTarget] {
        var hints = addrinfo()
        hints.ai_flags = AI_PASSIVE
        hints.ai_family = AF_UNSPEC
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        let plain = host.hasPrefix("[") && host.hasSuffix("]") ? String(host.dropFirst().dropLast()) : host
        let code = getaddrinfo(plain.isEmpty ? "0.0.0.0" : plain, "\(port)", &hints, &list)
        guard code == 0 else { throw .unresolved(host: host, reason: String(cString: gai_strerror(code))) }
        defer { freeaddrinfo(list) }
        var found: [SocketTarget] = []
        var next = list
        while let entry = next?.pointee {
            found.append(SocketTarget(family: entry.ai_family, copying: entry.ai_addr, length: entry.ai_addrlen))
            next = entry.ai_next
        }
        return found.filter { $0.family == AF_INET } + found.filter { $0.family != AF_INET }
    }

    private static func open(_ address: SocketTarget, _ name: String) throws(ListeningError) -> Int32 {
        func failure(_ call: String) -> ListeningError {
            .system(call: call, address: name, reason: String(cString: strerror(errno)))
        }
        let descriptor = socket(address.family, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw failure("socket") }
        var one: Int32 = 1
        var zero: Int32 = 0
        setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &one, 4)
        if address.family == AF_INET6 { setsockopt(descriptor, Int32(IPPROTO_IPV6), IPV6_V6ONLY, &zero, 4) }
        let bound = address.withPointer { bind(descriptor, $0, $1) == 0 }
        if bound, listen(descriptor, backlog) == 0 { return descriptor }
        let error =
            errno == EADDRINUSE
            ? ListeningError.taken(address: name, holder: PortHolder.describe(port: address.port))
            : failure(bound ? "listen" : "bind")
        close(descriptor)
        throw error
    }

    private static func boundAddress(of descriptor: Int32) -> SocketTarget {
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        return withUnsafeMutablePointer(to: &storage) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                getsockname(descriptor, $0, &length)
                return SocketTarget(family: Int32($0.pointee.sa_family), copying: $0, length: length)
            }
        }
    }
}

/// A socket address as plain bytes.
package struct SocketTarget: Sendable, Equatable {
    package let family: Int32
    private var bytes: [UInt8]

    init(family: Int32, copying address: UnsafePointer<sockaddr>, length: socklen_t) {
        self.family = family
        bytes = [UInt8](UnsafeRawBufferPointer(start: address, count: Int(length)))
    }

    /// The TCP port; both families keep it in bytes 2 and 3.
    package var port: Int { Int(bytes[2]) << 8 | Int(bytes[3]) }

    /// The same, with the loopback address in place of "any".
    var asTarget: SocketTarget {
        var copy = self
        if family == AF_INET, bytes[4..<8].allSatisfy({ $0 == 0 }) {
            copy.bytes.replaceSubrange(4..<8, with: [127, 0, 0, 1])
        } else if family == AF_INET6, bytes[8..<24].allSatisfy({ $0 == 0 }) {
            copy.bytes[23] = 1
        }
        return copy
    }

    /// Lends the address in the form system calls want.
    package func withPointer<R>(_ body: (UnsafePointer<sockaddr>, socklen_t) -> R) -> R {
        bytes.withUnsafeBytes { body($0.assumingMemoryBound(to: sockaddr.self).baseAddress!, socklen_t($0.count)) }
    }
}
