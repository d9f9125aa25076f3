internal import Glibc
internal import Values

/// Finds out who listens on a TCP port.
enum PortHolder {
    /// `pid 123 (name)` of a process that listens on the port, as far as /proc shows it to this user.
    static func describe(port: Int) -> String? {
        let inodes = ["/proc/net/tcp", "/proc/net/tcp6"].flatMap { listeners(in: $0, port: port) }
        guard !inodes.isEmpty else { return nil }
        let wanted = Set(inodes.map { "socket:[\($0)]" })
        let pids = names(in: "/proc").compactMap { Int32($0) }.sorted()
        let holders = pids.filter { pid in
            let folder = "/proc/\(pid)/fd"
            return names(in: folder).contains { wanted.contains(link("\(folder)/\($0)")) }
        }
        // Children inherit a listening socket: the first holder is the one that opened it.
        guard let holder = holders.first else { return nil }
        return "pid \(holder) (\(title(of: holder)))"
    }

    /// Inodes of the listening sockets on the port. Fields: 1 local address, 3 state (0A listens), 9 inode.
    private static func listeners(in table: String, port: Int) -> [Substring] {
        guard let bytes = readWholeFile(table) else { return [] }
        let suffix = ":" + hex(port)
        return String(decoding: bytes, as: UTF8.self).split(separator: "\n").dropFirst().compactMap { line in
            let fields = line.split(separator: " ")
            guard fields.count > 9, fields[1].hasSuffix(suffix), fields[3] == "0A" else { return nil }
            return fields[9]
        }
    }

    private static func hex(_ port: Int) -> String {
        let digits = String(port, radix: 16, uppercase: true)
        return String(repeating: "0", count: max(0, 4 - digits.count)) + digits
    }

    private static func title(of pid: Int32) -> String {
        let line = readWholeFile("/proc/\(pid)/cmdline") ?? []
        let words = line.split(separator: 0).prefix(2).map { String(decoding: $0, as: UTF8.self) }
        return words.isEmpty ? "unknown" : words.joined(separator: " ")
    }

    private static func names(in folder: String) -> [String] {
        guard let handle = opendir(folder) else { return [] }
        defer { closedir(handle) }
        var names: [String] = []
        while let entry = readdir(handle) {
            names.append(
                withUnsafePointer(to: &entry.pointee.d_name) {
                    $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
                })
        }
        return names
    }

    private static func link(_ path: String) -> String {
        var buffer = [UInt8](repeating: 0, count: 64)
        let count = buffer.withUnsafeMutableBytes {
            readlink(path, $0.assumingMemoryBound(to: CChar.self).baseAddress!, $0.count)
        }
        return count > 0 ? String(decoding: buffer[..<count], as: UTF8.self) : ""
    }
}
