internal import Glibc

/// What changes when a file is written anew or another takes its place.
package struct FileStamp: Sendable, Equatable {
    private var device: UInt64 = 0
    private var number: UInt64 = 0
    private var size: Int64 = 0
    private var written: [Int] = []

    /// The stamp of the file that a path leads to now; one of its own for a file that is not there.
    package init(path: String) {
        var status = stat()
        guard stat(path, &status) == 0 else { return }
        (device, number, size) = (UInt64(status.st_dev), UInt64(status.st_ino), Int64(status.st_size))
        written = [
            status.st_mtim.tv_sec, status.st_mtim.tv_nsec, status.st_ctim.tv_sec, status.st_ctim.tv_nsec,
        ]
    }
}
