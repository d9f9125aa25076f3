internal import Glibc

/// The server's log in its run directory, for `srt logs`: every line that goes to stderr, the newest few megabytes.
///
/// When the file is full it becomes the old one and a new one begins, so the two hold between one and two times the
/// limit. What cannot be written is left out; the log on stderr is the one that counts.
package final class LogFile {
    private let path: String
    private let limit: Int
    private var descriptor: Int32 = -1
    private var size = 0

    /// Begins a new log in a folder; `limit` is in bytes.
    package init(directory: String, limit: Int = 8 << 20) {
        path = directory + "/" + RunDirectory.logFile
        self.limit = limit
        begin()
    }

    deinit { if descriptor >= 0 { close(descriptor) } }

    /// Appends a line.
    package func write(_ line: String) {
        guard descriptor >= 0 else { return }
        let bytes = Array(line.utf8) + [10]
        size += max(0, Glibc.write(descriptor, bytes, bytes.count))
        guard size >= limit else { return }
        close(descriptor)
        rename(path, path + ".1")
        begin()
    }

    private func begin() {
        descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0o600)
        size = 0
    }
}
