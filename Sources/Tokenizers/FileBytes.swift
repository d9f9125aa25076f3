internal import Glibc

/// Reads small files whole.
enum FileBytes {
    /// Longest file that is read; the biggest published vocabularies take about 40 MB.
    static let limit = 512 << 20

    /// The bytes of a file, or nil if there is none.
    static func read(_ file: String) throws(TokenizerError) -> [UInt8]? {
        let descriptor = open(file, O_RDONLY | O_CLOEXEC)
        if descriptor < 0 {
            if errno == ENOENT || errno == ENOTDIR { return nil }
            throw .unreadable(file: file, reason: String(cString: strerror(errno)))
        }
        defer { close(descriptor) }
        var status = stat()
        if fstat(descriptor, &status) != 0 || status.st_mode & S_IFMT != S_IFREG {
            throw .unreadable(file: file, reason: "not a regular file")
        }
        let size = Int(status.st_size)
        if size > limit { throw .unreadable(file: file, reason: "larger than \(limit >> 20) MB") }
        var bytes = [UInt8](repeating: 0, count: size)
        var filled = 0
        while filled < size {
            let count = bytes.withUnsafeMutableBytes { Glibc.read(descriptor, $0.baseAddress! + filled, size - filled) }
            if count < 0 {
                if errno == EINTR { continue }
                throw .unreadable(file: file, reason: String(cString: strerror(errno)))
            }
            if count == 0 { break }
            filled += count
        }
        bytes.removeLast(size - filled)
        return bytes
    }
}
