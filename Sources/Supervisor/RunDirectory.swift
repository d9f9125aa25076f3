internal import ChildRuntime
internal import Glibc
internal import Values

/// What can go wrong with a run directory.
package enum RunDirectoryError: Error, Equatable, CustomStringConvertible {
    /// Another server that lives has it; its launcher's pid, where the file tells it.
    case inUse(path: String, pid: Int32?)
    /// The operating system refused.
    case system(call: String, path: String, reason: String)
    /// Sockets in it would have names longer than the operating system allows.
    case pathTooLong(String)
    /// It exists and belongs to somebody else, or is no directory.
    case notOurs(String)

    package var description: String {
        switch self {
        case .inUse(let path, let pid):
            "the run directory \(path) is used by another server\(pid.map { " (launcher pid \($0))" } ?? "")"
        case .system(let call, let path, let reason): "\(call) \(path): \(reason)"
        case .pathTooLong(let path): "the run directory's name is too long for sockets in it: \(path)"
        case .notOurs(let path): "\(path) is no directory of this user"
        }
    }
}

/// The private folder of one server: sockets, pid files, settings and state. It is locked as long as its launcher lives.
///
/// `launcher.pid` holds the launcher's pid and a flock: whoever can take the lock knows that the owner is dead and may
/// remove the folder. Nobody but the launcher's user can enter it.
package struct RunDirectory: ~Copyable {
    /// Bytes the folder's own name may have, so that `/detokenizer.ipc` still fits into a socket address.
    static let maximumLength = 107 - "/detokenizer.ipc".utf8.count
    static let lockFile = "launcher.pid"
    package static let stateFile = "state.json"
    /// Name of the file with the newest lines of the log; the file before it ends in `.1`.
    package static let logFile = "server.log"

    package let path: String
    private let lock: Int32
    /// Whether the folder itself was made by us and goes with us.
    private let isOwnName: Bool

    /// Makes and locks the folder at `path`, or, without one, a fresh one named after the port under `base`, after removing
    /// what dead servers left there.
    package init(at path: String?, port: Int, base: String = RunDirectory.defaultBase) throws(RunDirectoryError) {
        let taken =
            if let path { (path: path, lock: try Self.lock(path)) } else { try Self.lockFresh(in: base, port: port) }
        (self.path, lock) = taken
        isOwnName = path == nil
    }

    /// Sweeps `base`, then makes and locks a folder of its own in it.
    private static func lockFresh(in base: String, port: Int) throws(RunDirectoryError) -> (path: String, lock: Int32) {
        try makePrivate(base)
        // The lock on the base keeps another starter from sweeping away what we are about to lock.
        let baseLock = open(base, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard baseLock >= 0 else { throw failure("open", base) }
        defer { close(baseLock) }
        flock(baseLock, LOCK_EX)
        for name in entries(of: base) { removeIfStale(base + "/" + name) }
        let path = "\(base)/\(port)-\(getpid())"
        return (path, try lock(path))
    }

    /// Makes a folder, locks it and clears it of what a dead server left.
    private static func lock(_ path: String) throws(RunDirectoryError) -> Int32 {
        guard path.utf8.count <= maximumLength else { throw .pathTooLong(path) }
        for attempt in 0..<10 {
            try makePrivate(path)
            let file = path + "/" + lockFile
            let descriptor = open(file, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
            guard descriptor >= 0 else { throw failure("open", file) }
            if flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
                close(descriptor)
                // Somebody may just be looking whether we live.
                if attempt < 3 { usleep(10_000); continue }
                break
            }
            // The owner before us may have removed the file between our opening and our locking it.
            var held = stat()
            var named = stat()
            guard fstat(descriptor, &held) == 0, stat(file, &named) == 0, held.st_ino == named.st_ino else {
                close(descriptor)
                continue
            }
            ftruncate(descriptor, 0)
            _ = "\(getpid())\n".withCString { Glibc.write(descriptor, $0, strlen($0)) }
            for name in serverFiles(in: path) where name != lockFile { unlink(path + "/" + name) }
            return descriptor
        }
        throw .inUse(path: path, pid: pid(in: path))
    }

    deinit { close(lock) }

    /// Writes a file under a temporary name and renames it, so that a reader sees all of it or the one before; mode 0600.
    package func write(_ name: String, _ bytes: [UInt8]) throws(RunDirectoryError) {
        let file = path + "/" + name
        let temporary = file + ".new"
        let descriptor = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw Self.failure("open", temporary) }
        var sent = 0
        while sent < bytes.count {
            let count = bytes.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress! + sent, $0.count - sent) }
            guard count > 0 else {
                defer { close(descriptor) }
                throw Self.failure("write", temporary)
            }
            sent += count
        }
        close(descriptor)
        guard rename(temporary, file) == 0 else { throw Self.failure("rename", file) }
    }

    /// Notes a child's pid under the child's title, or takes the note away.
    package func notePid(_ pid: Int32?, of title: String) {
        let name = (title.hasPrefix("sglang::") ? String(title.dropFirst("sglang::".count)) : title) + ".pid"
        if let pid { try? write(name, Array("\(pid)\n".utf8)) } else { unlink(path + "/" + name) }
    }

    /// Removes what the server put there, and the folder where it is empty then. With `keepingState` state and log stay for
    /// an investigation, until the next start sweeps it away.
    package func removeFiles(keepingState: Bool = false) {
        for name in Self.serverFiles(in: path)
        where !(keepingState && (name == Self.stateFile || name.hasPrefix(Self.logFile))) {
            unlink(path + "/" + name)
        }
        // A folder that was given by hand stays, as does one that holds something else.
        if isOwnName, !keepingState { rmdir(path) }
    }

    private static func failure(_ call: String, _ path: String) -> RunDirectoryError {
        .system(call: call, path: path, reason: String(cString: strerror(errno)))
    }

    /// Makes a folder that only we can enter; one that exists must be ours.
    private static func makePrivate(_ path: String) throws(RunDirectoryError) {
        if mkdir(path, 0o700) == 0 { return }
        guard errno == EEXIST else { throw failure("mkdir", path) }
        var info = stat()
        guard lstat(path, &info) == 0, info.st_mode & S_IFMT == S_IFDIR, info.st_uid == getuid() else {
            throw .notOurs(path)
        }
        if info.st_mode & 0o077 != 0 { chmod(path, 0o700) }
    }
}
