import Glibc
internal import Values

/// The place of one cache file and what it takes to trust it.
struct PackedFile {
    /// What looking for a cache file found.
    enum Lookup {
        case valid(PackedMapping)
        case absent
        case damaged(reason: String)
    }

    /// The folder.
    let directory: String
    /// The file.
    let path: String
    /// What the header must say.
    let digest: (UInt64, UInt64)
    /// Where everything must lie.
    let layout: PackedLayout
    /// Age in seconds from which the file may be vouched for.
    let settledAfter: Int

    /// Names the file of a key.
    init(directory: String, key: PackedWeightsKey, layout: PackedLayout, settledAfter: Int) {
        self.directory = directory
        path = joinedPath(directory, key.fileName)
        digest = key.digest
        self.layout = layout
        self.settledAfter = settledAfter
    }

    /// The note that says when the data were last verified.
    private var notePath: String { path + ".verified" }

    /// Maps the file if it is complete and intact.
    func map() -> Lookup {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { return errno == ENOENT ? .absent : .damaged(reason: systemReason()) }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            return .damaged(reason: "not a regular file")
        }
        guard Int(status.st_size) == layout.fileCount, layout.fileCount > 0 else {
            return .damaged(reason: "\(status.st_size) bytes instead of \(layout.fileCount)")
        }
        guard let mapping = PackedMapping(descriptor: descriptor, count: layout.fileCount, isWritable: false) else {
            return .damaged(reason: systemReason())
        }
        guard let stored = layout.storedChecksums(mapping.bytes, digest: digest) else {
            return .damaged(reason: "the header is incomplete or damaged")
        }
        let note = verificationNote(status, stored)
        if !hasNote(note) {
            let found = sectionChecksums(layout, mapping.bytes)
            if let index = found.indices.first(where: { found[$0] != stored[$0] }) {
                return .damaged(reason: "section `\(printable(layout.sections[index].name))` has a wrong checksum")
            }
            if isSettled(status) { writeNote(note) }
        }
        mapping.populate()
        return .valid(mapping)
    }

    /// What the note must say: the boot, the file and the checksums it was compared with.
    private func verificationNote(_ status: stat, _ checksums: [UInt64]) -> String {
        let sum = checksums.withUnsafeBytes { checksum64($0) }
        return "\(bootIdentity()) \(status.st_dev) \(status.st_ino) \(status.st_size) "
            + "\(status.st_mtim.tv_sec).\(status.st_mtim.tv_nsec) \(status.st_ctim.tv_sec).\(status.st_ctim.tv_nsec) "
            + "\(hexadecimal(sum))\n"
    }

    /// Whether the file's last change is so far back that a later one must show in its times (they tick in
    /// milliseconds).
    private func isSettled(_ status: stat) -> Bool {
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        return now.tv_sec - status.st_ctim.tv_sec >= settledAfter
    }

    private func hasNote(_ note: String) -> Bool {
        guard let file = try? MappedFile(path: notePath) else { return false }
        return file.count == note.utf8.count && file.starts(with: note.utf8)
    }

    /// Writes the note beside the file; a failure only costs the next start a verification.
    private func writeNote(_ note: String) {
        let draft = "\(notePath).\(getpid())"
        let descriptor = open(draft, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { return }
        var note = note
        let isWritten = note.withUTF8 { write(descriptor, $0.baseAddress, $0.count) == $0.count }
        close(descriptor)
        if !isWritten || rename(draft, notePath) != 0 { unlink(draft) }
    }
}

/// A text that changes with every boot of the machine; empty where the kernel has none.
private func bootIdentity() -> String {
    (SmallFile.text("/proc/sys/kernel/random/boot_id") ?? "").filter { $0.isHexDigit || $0 == "-" }
}

/// A cache file while it is being packed, under a name of its own; `seal()` puts it in its place.
final class PackedDraft {
    /// Why no file can be written.
    struct Failure: Error {
        /// One line naming the path.
        let reason: String
    }

    private let file: PackedFile
    private let path: String
    private let descriptor: Int32
    /// The memory being packed; outlives the draft when somebody keeps it.
    let mapping: PackedMapping
    private var isSealed = false

    /// Makes the file at its full size, so that a full disk shows here and not as a fault while packing.
    ///
    /// The caller holds the lock of the file, so the draft of a writer that died may be overwritten.
    init(_ file: PackedFile) throws(Failure) {
        self.file = file
        path = file.path + ".draft"
        unlink(path)
        descriptor = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw Failure(reason: "\(printable(path)): \(systemReason())") }
        let status = posix_fallocate(descriptor, 0, file.layout.fileCount)
        let candidate =
            status == 0 ? PackedMapping(descriptor: descriptor, count: file.layout.fileCount, isWritable: true) : nil
        guard let candidate else {
            let reason = systemReason(status == 0 ? errno : status)
            unlink(path)
            close(descriptor)
            throw Failure(reason: "\(printable(path)): \(file.layout.fileCount) bytes: \(reason)")
        }
        mapping = candidate
    }

    deinit {
        if !isSealed { unlink(path) }
        close(descriptor)
    }

    /// The memory to pack into.
    var mutableBytes: UnsafeMutableRawBufferPointer { mapping.mutableBytes }

    /// Writes header and data to the disk, the complete mark last, and renames the file; returns what failed, nil when
    /// all went well.
    func seal() -> String? {
        let bytes = mutableBytes
        let checksums = sectionChecksums(file.layout, UnsafeRawBufferPointer(bytes))
        var header = file.layout.header(digest: file.digest, checksums: checksums)
        let mark = header[PackedLayout.markOffset..<PackedLayout.markOffset + 8]
        header.replaceSubrange(mark.indices, with: repeatElement(0, count: 8))
        bytes.copyBytes(from: header)
        guard mapping.synchronize(), fsync(descriptor) == 0 else { return systemReason() }
        UnsafeMutableRawBufferPointer(rebasing: bytes[mark.indices]).copyBytes(from: mark)
        mapping.protect()
        guard fsync(descriptor) == 0, rename(path, file.path) == 0 else { return systemReason() }
        isSealed = true
        let folder = open(file.directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        if folder >= 0 {
            fsync(folder)
            close(folder)
        }
        return nil
    }
}
