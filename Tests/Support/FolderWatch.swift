internal import Glibc

/// Tells when a file of a folder was put in place: the launcher replaces its state file by renaming.
package final class FolderWatch {
    private let descriptor: Int32

    /// Watches from now on.
    package init(_ folder: String) throws {
        descriptor = inotify_init1(Int32(IN_CLOEXEC))
        guard descriptor >= 0, inotify_add_watch(descriptor, folder, UInt32(IN_MOVED_TO)) >= 0 else {
            throw HarnessError("cannot watch \(folder): \(String(cString: strerror(errno)))")
        }
    }

    deinit { close(descriptor) }

    /// Waits for the next change, or returns at once where there was one since the last wait; false when the patience ends.
    package func wait() -> Bool {
        var entry = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        guard Glibc.poll(&entry, 1, Int32(patience * 1000)) > 0 else { return false }
        var events = [UInt8](repeating: 0, count: 4096)
        return read(descriptor, &events, events.count) > 0
    }
}
