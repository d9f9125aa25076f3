import Glibc

/// When, how large and which inode a file was: two equal stamps mean that nobody has written the file in between.
package struct FileStamp: Sendable, Hashable {
    /// The path as it was opened.
    package var path: String
    /// Length in bytes.
    package var size: Int
    /// Time of the last change of the contents, in nanoseconds since 1970.
    package var modified: Int64
    /// Inode number.
    package var inode: UInt64

    /// Reads the stamp of an open descriptor.
    init(path: String, status: stat) {
        self.path = path
        size = Int(status.st_size)
        modified = Int64(status.st_mtim.tv_sec) &* 1_000_000_000 &+ Int64(status.st_mtim.tv_nsec)
        inode = UInt64(status.st_ino)
    }

    /// Reads the stamp of the file at `path`.
    package init(ofFileAt path: String) throws(CheckpointError) {
        var status = stat()
        guard stat(path, &status) == 0 else { throw .unreadable(path: path, reason: systemReason()) }
        self.init(path: path, status: status)
    }
}

/// A whole file mapped read-only; unmapped in `deinit`.
///
/// All reads are bounds-checked by the caller against `count`. A file that another process cuts short while it is mapped
/// ends this process with SIGBUS, as with every mapped file.
struct MappedFile: ~Copyable, Sendable {
    /// The path as given.
    let path: String
    /// Size, time and inode at opening.
    let stamp: FileStamp
    // Never written through and never moved: sharing it between threads is safe.
    private nonisolated(unsafe) let base: UnsafeRawPointer?

    /// Length in bytes.
    var count: Int { stamp.size }

    /// Maps the regular file at `path`; an empty file maps as no bytes.
    init(path: String) throws(CheckpointError) {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw .unreadable(path: path, reason: systemReason()) }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw .unreadable(path: path, reason: systemReason()) }
        guard status.st_mode & S_IFMT == S_IFREG else { throw .unreadable(path: path, reason: "not a regular file") }
        let stamp = FileStamp(path: path, status: status)
        let address = stamp.size > 0 ? mmap(nil, stamp.size, PROT_READ, MAP_SHARED, descriptor, 0) : nil
        guard address != MAP_FAILED else { throw .unreadable(path: path, reason: systemReason()) }
        let bytes = UnsafeRawBufferPointer(start: address, count: stamp.size)
        guard stamp.size > 1024 || !bytes.starts(with: "version https://git-lfs.github.com/spec/".utf8) else {
            munmap(address, stamp.size)
            throw .unreadable(
                path: path, reason: "is a git-lfs pointer and not the file itself; fetch that with `git lfs pull`")
        }
        self.path = path
        self.stamp = stamp
        base = address.map { UnsafeRawPointer($0) }
    }

    deinit {
        if let base { munmap(UnsafeMutableRawPointer(mutating: base), stamp.size) }
    }

    /// The mapped bytes; valid while this value lives.
    var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: base, count: stamp.size) }

    /// Whether the file begins with these bytes.
    func starts(with prefix: some Sequence<UInt8>) -> Bool {
        bytes.starts(with: prefix)
    }

    /// Address of byte `offset`; the caller has checked that the bytes it reads lie inside the file.
    func pointer(at offset: Int) -> UnsafeRawPointer {
        precondition(offset >= 0 && offset <= count && base != nil)
        return base! + offset
    }
}

/// The text of `errno`, for an error message.
func systemReason(_ code: Int32 = errno) -> String {
    String(cString: strerror(code))
}

/// Whether something exists at `path`.
func fileExists(_ path: String) -> Bool {
    access(path, F_OK) == 0
}

/// Whether `path` is a folder.
func isFolder(_ path: String) -> Bool {
    var status = stat()
    return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
}

/// The names in a folder, in ascending byte order, without `.` and `..`.
package func folderEntries(_ path: String) throws(CheckpointError) -> [String] {
    guard let folder = opendir(path) else { throw .unreadable(path: path, reason: systemReason()) }
    defer { closedir(folder) }
    var names: [String] = []
    while let entry = readdir(folder) {
        let name = withUnsafePointer(to: &entry.pointee.d_name) {
            $0.withMemoryRebound(to: CChar.self, capacity: MemoryLayout.size(ofValue: $0.pointee)) {
                String(cString: $0)
            }
        }
        if name != "." && name != ".." { names.append(name) }
    }
    return names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
}

/// `name` inside `folder`.
func joinedPath(_ folder: String, _ name: String) -> String {
    folder.hasSuffix("/") ? folder + name : folder + "/" + name
}

/// The folder part of a path, "." when it has none.
func folderPart(_ path: String) -> String {
    guard let slash = path.lastIndex(of: "/") else { return "." }
    return slash == path.startIndex ? "/" : String(path[..<slash])
}
