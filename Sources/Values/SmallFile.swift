internal import Glibc

/// Reads small files whole, those of /proc and /sys too, whose size nobody knows before.
package enum SmallFile {
    /// Why a file was not read.
    package struct Fault: Error, Equatable {
        /// The system's number of the error; 0 where the file was refused by a rule of the reader.
        package let code: Int32
        /// The cause in words.
        package let reason: String

        /// There is no such file.
        package var isMissing: Bool { code == ENOENT || code == ENOTDIR }

        /// The system's last complaint.
        fileprivate static func ofSystem() -> Fault {
            Fault(code: errno, reason: String(cString: strerror(errno)))
        }
    }

    /// The bytes of a file.
    ///
    /// - Parameters:
    ///   - limit: Longest file that is read.
    ///   - onlyRegular: Refuses pipes, devices and folders, which might never end.
    package static func bytes(
        _ path: String, limit: Int = .max, onlyRegular: Bool = false
    ) throws(Fault) -> [UInt8] {
        // Without O_NONBLOCK the opening of a pipe would wait for its writer.
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | (onlyRegular ? O_NONBLOCK : 0))
        guard descriptor >= 0 else { throw .ofSystem() }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw .ofSystem() }
        guard !onlyRegular || status.st_mode & S_IFMT == S_IFREG else {
            throw Fault(code: 0, reason: "not a regular file")
        }
        guard Int(status.st_size) <= limit else { throw .tooLarge(limit) }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(Int(status.st_size))
        var chunk = [UInt8](repeating: 0, count: 65536)
        while true {
            let count = read(descriptor, &chunk, chunk.count)
            if count == 0 { return bytes }
            if count < 0 {
                if errno == EINTR { continue }
                throw .ofSystem()
            }
            guard bytes.count + count <= limit else { throw .tooLarge(limit) }
            bytes += chunk[..<count]
        }
    }

    /// The text of a file, faulty UTF-8 replaced; nil when it cannot be read.
    package static func text(_ path: String) -> String? {
        (try? bytes(path)).map { String(decoding: $0, as: UTF8.self) }
    }

    /// The first line of a file; nil when it cannot be read or has none.
    package static func firstLine(_ path: String) -> String? {
        text(path)?.split(separator: "\n").first.map(String.init)
    }
}

extension SmallFile.Fault {
    fileprivate static func tooLarge(_ limit: Int) -> Self {
        Self(code: 0, reason: limit >= 1 << 20 ? "larger than \(limit >> 20) MB" : "larger than \(limit) bytes")
    }
}

/// The bytes of a small file; nil when it cannot be read.
package func readWholeFile(_ path: String) -> [UInt8]? { try? SmallFile.bytes(path) }
