import Glibc

/// The weights in the form the kernels read, in a cache file mapped read-only, so that a restarted worker finds them in
/// memory.
///
/// A file is used only if its header is complete and intact and its data are known to be: either all the section checksums
/// were computed just now, or a note beside the file says that they were since the machine booted and the file has not
/// changed (inode, size, times). Anything else is rebuilt. Writers lock each other out; a file appears by rename, so it is
/// never seen half-written. Without a usable directory the weights live in anonymous memory.
package final class PackedWeights: Sendable {
    /// How the bytes came about.
    package enum Origin: Sendable {
        /// From a valid cache file.
        case mapped
        /// Packed just now into a new cache file.
        case built
        /// Packed just now, without a cache file.
        case memory
    }

    /// How the bytes came about.
    package let origin: Origin
    /// One line for the log when something was not as it should be: why there is no cache file, or why one was rebuilt.
    package let note: String?
    /// The cache file that holds them; nil when there is none.
    let path: String?
    private let mapping: PackedMapping
    private let ranges: [String: Range<Int>]

    /// Wraps a mapping whose sections are complete.
    init(_ mapping: PackedMapping, _ layout: PackedLayout, origin: Origin, path: String? = nil, note: String?) {
        var ranges: [String: Range<Int>] = [:]
        for (section, offset) in zip(layout.sections, layout.offsets) {
            ranges[section.name] = offset..<offset + section.byteCount
        }
        self.ranges = ranges
        self.mapping = mapping
        self.path = path
        self.origin = origin
        self.note = note
    }

    /// The bytes of a declared section, page-aligned, valid while this object lives.
    package subscript(section: String) -> UnsafeRawBufferPointer {
        guard let range = ranges[section] else { preconditionFailure("section \(section) was not declared") }
        return UnsafeRawBufferPointer(rebasing: mapping.bytes[range])
    }

    /// Bytes of all the sections with their padding.
    package var byteCount: Int { mapping.count }

    /// Removes a cache file that nobody is going to ask for again. Whoever has it mapped keeps what it holds.
    package static func removeFile(_ path: String) {
        for ending in ["", ".verified"] { unlink(path + ending) }
    }

    /// As `open(key:cache:sections:fill:)` with the usual patience; a nil directory means memory.
    package static func open(
        key: PackedWeightsKey, directory: String?, sections: [PackedSection],
        fill: (PackedMemory) throws(CheckpointError) -> Void
    ) throws(CheckpointError) -> PackedWeights {
        try open(key: key, cache: PackedCache(directory: directory), sections: sections, fill: fill)
    }

    /// Maps the cache file of `key` if a valid one exists, else has `fill` pack the sections and keeps the result.
    ///
    /// `fill` gets zeroed memory for each section; if it throws, nothing is left behind. Another process that is building
    /// the same file is waited for.
    package static func open(
        key: PackedWeightsKey, cache: PackedCache, sections: [PackedSection],
        fill: (PackedMemory) throws(CheckpointError) -> Void
    ) throws(CheckpointError) -> PackedWeights {
        let layout = try PackedLayout(sections)
        guard let directory = cache.directory else {
            return try inMemory(layout, note: nil, fill)
        }
        let file = PackedFile(directory: directory, key: key, layout: layout, settledAfter: cache.settledAfter)
        switch file.map() {
        case .valid(let mapping):
            return PackedWeights(mapping, layout, origin: .mapped, path: file.path, note: nil)
        case .absent: break
        case .damaged: break
        }
        let lock: FileLock
        do throws(FileLock.Failure) {
            lock = try FileLock(path: file.path + ".lock", inDirectory: directory, patience: cache.patience)
        } catch {
            return try inMemory(layout, note: "packed weights are kept in memory: \(error.reason)", fill)
        }
        // Under the lock: another process may have finished the file meanwhile.
        let note: String?
        switch file.map() {
        case .valid(let mapping):
            return PackedWeights(mapping, layout, origin: .mapped, path: file.path, note: nil)
        case .absent: note = nil
        case .damaged(let reason): note = "\(printable(file.path)) is rebuilt: \(reason)"
        }
        let result = try build(file, layout, note: note, fill)
        lock.release()
        return result
    }

    /// Packs into a new cache file; into memory when the file cannot be written.
    private static func build(
        _ file: PackedFile, _ layout: PackedLayout, note: String?,
        _ fill: (PackedMemory) throws(CheckpointError) -> Void
    ) throws(CheckpointError) -> PackedWeights {
        let draft: PackedDraft
        do throws(PackedDraft.Failure) {
            draft = try PackedDraft(file)
        } catch {
            return try inMemory(layout, note: "packed weights are kept in memory: \(error.reason)", fill)
        }
        try fill(PackedMemory(draft.mutableBytes, layout))
        let failure = draft.seal()
        let origin: Origin = failure == nil ? .built : .memory
        let reason = failure.map { "packed weights are not kept: \(printable(file.path)): \($0)" }
        return PackedWeights(
            draft.mapping, layout, origin: origin, path: failure == nil ? file.path : nil, note: reason ?? note)
    }

    /// Packs into anonymous memory.
    private static func inMemory(
        _ layout: PackedLayout, note: String?, _ fill: (PackedMemory) throws(CheckpointError) -> Void
    ) throws(CheckpointError) -> PackedWeights {
        let count = max(layout.fileCount, PackedLayout.pageSize)
        guard let mapping = PackedMapping(anonymous: count) else {
            throw .outOfMemory(purpose: "the packed weights", byteCount: count)
        }
        try fill(PackedMemory(mapping.mutableBytes, layout))
        mapping.protect()
        return PackedWeights(mapping, layout, origin: .memory, note: note)
    }
}

/// Where cache files are kept and how long things may take.
package struct PackedCache: Sendable {
    /// The folder, made if it does not exist; nil for no files.
    package var directory: String?
    /// Seconds to wait for another writer of the same file.
    package var patience: Int
    /// Seconds after a file's last change from which a note may vouch for it: file times tick in milliseconds, so a change
    /// right after the note would not show.
    package var settledAfter: Int

    /// Names the folder.
    package init(directory: String?, patience: Int = 600, settledAfter: Int = 2) {
        self.directory = directory
        self.patience = patience
        self.settledAfter = settledAfter
    }
}

/// The zeroed memory of each section, for the time of packing.
package struct PackedMemory {
    private let bytes: UnsafeMutableRawBufferPointer
    private let ranges: [String: Range<Int>]

    /// Divides the memory into the declared sections.
    init(_ bytes: UnsafeMutableRawBufferPointer, _ layout: PackedLayout) {
        self.bytes = bytes
        var ranges: [String: Range<Int>] = [:]
        for (section, offset) in zip(layout.sections, layout.offsets) {
            ranges[section.name] = offset..<offset + section.byteCount
        }
        self.ranges = ranges
    }

    /// The memory of a declared section, page-aligned.
    package subscript(section: String) -> UnsafeMutableRawBufferPointer {
        guard let range = ranges[section] else { preconditionFailure("section \(section) was not declared") }
        return UnsafeMutableRawBufferPointer(rebasing: bytes[range])
    }
}
