import Glibc

/// An exclusive lock on a file, held until `release()` or the end of the value; a dead holder's lock is released by
/// the kernel.
struct FileLock: ~Copyable {
    /// Why there is no lock.
    struct Failure: Error {
        /// One line naming the path.
        let reason: String
    }

    private let descriptor: Int32

    /// Makes the folder and the lock file where needed, then tries for `patience` seconds.
    init(path: String, inDirectory directory: String, patience: Int) throws(Failure) {
        makeFolders(directory)
        descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw Failure(reason: "\(printable(path)): \(systemReason())") }
        var pause = timespec(tv_sec: 0, tv_nsec: 20_000_000)
        for attempt in 0... {
            if flock(descriptor, LOCK_EX | LOCK_NB) == 0 { return }
            let isHeld = errno == EWOULDBLOCK
            guard (isHeld && attempt < patience * 50) || errno == EINTR else {
                let reason = isHeld ? "another process has been writing it for \(patience) s" : systemReason()
                close(descriptor)
                throw Failure(reason: "\(printable(path)): \(reason)")
            }
            nanosleep(&pause, nil)
        }
    }

    deinit { close(descriptor) }

    /// Ends the lock now.
    consuming func release() {}
}

/// Makes a folder and those above it, as far as possible; what is missing shows when a file is opened.
private func makeFolders(_ path: String) {
    guard !path.isEmpty, !isFolder(path) else { return }
    let parent = folderPart(path)
    if parent != path { makeFolders(parent) }
    mkdir(path, 0o700)
}
