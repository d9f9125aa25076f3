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
        case .unresolved(let host, _) where host.contains("/"):
            "cannot listen on host '\(host)': a host is a name or an address, without scheme, path or mask"
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
    /// The same for a browser.
    package func url(isSecure: Bool = false) -> String { "\(isSecure ? "https" : "http")://\(name)" }
    /// Where the server itself reaches the socket.
    package let target: SocketTarget

    /// Binds and listens. IPv4 is preferred where a name has both; an empty host means all addresses of both; port 0 lets the
    /// system choose.
    package init(host: String, port: Int) throws(ListeningError) {
        let hosts = host.isEmpty ? ["::", "0.0.0.0"] : [host]
        let (opened, host) = try Self.openFirst(of: hosts, port)
        let bound = Self.boundAddress(of: opened)
        descriptor = opened
        self.port = bound.port
        target = bound.asTarget
        name = Self.name(host, bound.port)
    }

    /// The first address that this machine has, with the host that it belongs to; the last one's error where it has none. One that is
    /// taken is not passed over: clients would reach somebody else.
    private static func openFirst(
        of hosts: [String], _ port: Int
    ) throws(ListeningError) -> (descriptor: Int32, host: String) {
        var failure = ListeningError.unresolved(host: hosts[0], reason: "no address")
        for host in hosts {
            for candidate in try resolve(host, port) {
                do throws(ListeningError) { return (try open(candidate, name(host, port)), host) } catch {
                    failure = error
                    if case .taken = error { throw error }
                }
            }
        }
        throw failure
    }

    deinit { close(descriptor) }

    private static func name(_ host: String, _ port: Int) -> String {
        host.contains(":") && !host.hasPrefix("[") ? "[\(host)]:\(port)" : "\(host):\(port)"
    }

    private static func resolve(_ host: String, _ port: Int) throws(ListeningError) -> [SocketTarget] {
        var hints = addrinfo()
        hints.ai_flags = AI_PASSIVE
        hints.ai_family = AF_UNSPEC
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        let plain = host.hasPrefix("[") && host.hasSuffix("]") ? String(host.dropFirst().dropLast()) : host
        let code = getaddrinfo(plain, "\(port)", &hints, &list)
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
            let reason = errno == EADDRNOTAVAIL ? "this machine has no such address" : String(cString: strerror(errno))
            return .system(call: call, address: name, reason: reason)
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

    package init(family: Int32, copying address: UnsafePointer<sockaddr>, length: socklen_t) {
        self.family = family
        bytes = [UInt8](UnsafeRawBufferPointer(start: address, count: Int(length)))
    }

    /// A socket in the file system; its path fits, as all of the run directory do.
    package init(path: String) {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { room in
            for (place, byte) in path.utf8.prefix(room.count - 1).enumerated() { room[place] = byte }
        }
        family = AF_UNIX
        bytes = withUnsafeBytes(of: &address) { [UInt8]($0) }
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
