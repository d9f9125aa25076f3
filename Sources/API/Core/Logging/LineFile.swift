internal import Dispatch
internal import Glibc
internal import Ledger
internal import Synchronization
internal import Values

/// A file to which lines are appended, on a thread of its own: no client waits for a disk. Each hour begins a new file, and the
/// one before is renamed after its hour.
final class LineFile: Sendable {
    /// Lines that may wait for the disk; more are dropped, and counted in the file.
    private static let mostWaiting = 10_000

    private struct Open {
        var descriptor: Int32 = -1
        var hour = ""
        var dropped = 0
    }

    private let path: String
    private let queue = DispatchQueue(label: "line file")
    private let waiting = Atomic<Int>(0)
    private let dropped = Atomic<Int>(0)
    private let file = Mutex(Open())

    /// Makes the folder if need be.
    ///
    /// - Throws: `.invalid` when the folder cannot be written to.
    init(folder: String, name: String) throws(RequestFailure) {
        path = folder + "/" + name
        try Self.makeFolder(folder)
        let descriptor = Self.open(path)
        guard descriptor >= 0 else { throw .invalid("cannot write \(path): \(String(cString: strerror(errno)))") }
        file.withLock { $0 = Open(descriptor: descriptor, hour: Self.hour) }
    }

    deinit { file.withLock { _ = close($0.descriptor) } }

    /// Makes a folder and those above it.
    static func makeFolder(_ folder: String) throws(RequestFailure) {
        guard folder.hasPrefix("/") || !folder.isEmpty else { throw .invalid("the name of a folder is empty") }
        var path = folder.hasPrefix("/") ? "" : "."
        for part in folder.split(separator: "/") {
            path += "/" + part
            guard mkdir(path, 0o777) == 0 || errno == EEXIST else {
                throw .invalid("cannot make the folder \(folder): \(String(cString: strerror(errno)))")
            }
        }
    }

    private static func open(_ path: String) -> Int32 {
        Glibc.open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o644)
    }

    private static var hour: String {
        String(CalendarTime.now().iso.prefix(13)).replacing("T", with: "_")
    }

    /// Appends a line.
    func append(_ line: String) {
        guard waiting.wrappingAdd(1, ordering: .relaxed).newValue <= Self.mostWaiting else {
            waiting.wrappingSubtract(1, ordering: .relaxed)
            dropped.wrappingAdd(1, ordering: .relaxed)
            return
        }
        queue.async { [self] in
            write(line)
            waiting.wrappingSubtract(1, ordering: .relaxed)
        }
    }

    private func write(_ line: String) {
        file.withLock { file in
            let hour = Self.hour
            if hour != file.hour {
                close(file.descriptor)
                rename(path, path + "." + file.hour)
                file = Open(descriptor: Self.open(path), hour: hour)
            }
            let lost = dropped.exchange(0, ordering: .relaxed)
            var text = (lost > 0 ? "(\(lost) lines dropped: the disk was too slow)\n" : "") + line + "\n"
            text.withUTF8 { _ = Glibc.write(file.descriptor, $0.baseAddress, $0.count) }
        }
    }

    /// Waits until every line is in the file.
    func settle() { queue.sync {} }
}
