package import Tensors

/// What a file of packed weights depends on; another key is another file.
package struct PackedWeightsKey: Sendable, Hashable {
    /// Where the weights came from.
    package var checkpoint: CheckpointIdentity
    /// Version of the packed form; raise it whenever the bytes change their meaning.
    package var layoutVersion: Int
    /// Type of the packed numbers.
    package var dtype: DType
    /// Which shard this is, from 0.
    package var rank: Int
    /// Number of shards.
    package var size: Int
    /// Whatever else decides the bytes: model family, quantisation.
    package var kinds: [String]

    /// Names everything that the packed bytes depend on.
    package init(
        checkpoint: CheckpointIdentity, layoutVersion: Int, dtype: DType, rank: Int, size: Int, kinds: [String]
    ) {
        self.checkpoint = checkpoint
        self.layoutVersion = layoutVersion
        self.dtype = dtype
        self.rank = rank
        self.size = size
        self.kinds = kinds
    }

    /// Two independent checksums of all the fields.
    var digest: (UInt64, UInt64) {
        var text = "\(checkpoint.headerHash) \(layoutVersion) \(dtype.rawValue) \(rank) \(size)"
        for file in checkpoint.files {
            text += " \(file.path.utf8.count):\(file.path) \(file.size) \(file.modified) \(file.inode)"
        }
        for kind in kinds { text += " \(kind.utf8.count):\(kind)" }
        return (checksum64(text, seed: 1), checksum64(text, seed: 2))
    }

    /// Name of the cache file.
    package var fileName: String {
        let (first, second) = digest
        return "weights-\(hexadecimal(first))\(hexadecimal(second)).packed"
    }
}

/// One named stretch of packed bytes.
package struct PackedSection: Sendable, Hashable {
    /// Name, unique in its file.
    package var name: String
    /// Length in bytes.
    package var byteCount: Int

    /// Declares a section.
    package init(name: String, byteCount: Int) {
        self.name = name
        self.byteCount = byteCount
    }
}

/// Where header, table and sections of a cache file lie; computed from the declared sections, never read from a file.
///
/// ```
/// 0   magic "srtpackd" · 8 format version u32 · 12 section count u32 · 16 key digest 2×u64 · 32 file length u64
/// 40  offset of the first section u64 · 48 checksum of header and table u64 · 56 complete mark u64
/// 64  per section: offset u64 · length u64 · checksum u64 · name length u64 · name, padded to 8 bytes
/// …   zeros to the next page; then each section on a page boundary, padded with zeros
/// ```
struct PackedLayout {
    /// Sections and padding are multiples of this.
    static let pageSize = 4096
    private static let formatVersion: UInt32 = 1
    private static let completeMark: UInt64 = 0x0A45_4C4F_4857_0D0A
    private static let checksumOffset = 48
    /// Where the complete mark lies.
    static let markOffset = 56

    /// The sections in file order.
    let sections: [PackedSection]
    /// Byte offset of each section.
    let offsets: [Int]
    /// Where each section's entry begins in the table.
    private let entries: [Int]
    /// Bytes before the first section.
    let headerCount: Int
    /// Bytes in all.
    let fileCount: Int

    /// Lays the sections out; throws for duplicate names and sizes whose sum overflows.
    init(_ sections: [PackedSection]) throws(CheckpointError) {
        guard Set(sections.map(\.name)).count == sections.count else {
            throw .badSections(reason: "duplicate section names")
        }
        var position = 64
        var entries: [Int] = []
        for section in sections {
            entries.append(position)
            position += 32 + (section.name.utf8.count + 7) / 8 * 8
        }
        var end = PackedLayout.roundedToPage(position)
        headerCount = end
        var offsets: [Int] = []
        for section in sections {
            guard section.byteCount >= 0, section.byteCount < 1 << 50, end < 1 << 50 else {
                throw .badSections(reason: "section `\(printable(section.name))` of \(section.byteCount) bytes")
            }
            offsets.append(end)
            end = PackedLayout.roundedToPage(end + section.byteCount)
        }
        self.sections = sections
        self.offsets = offsets
        self.entries = entries
        fileCount = end
    }

    /// The stretch of section `index` with its padding.
    func extent(_ index: Int) -> Range<Int> {
        offsets[index]..<(index + 1 < offsets.count ? offsets[index + 1] : fileCount)
    }

    /// The bytes that a complete file with these section checksums begins with.
    func header(digest: (UInt64, UInt64), checksums: [UInt64]) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: headerCount)
        func put<T: FixedWidthInteger>(_ value: T, _ offset: Int) {
            withUnsafeBytes(of: value.littleEndian) { bytes.replaceSubrange(offset..<offset + $0.count, with: $0) }
        }
        bytes.replaceSubrange(0..<8, with: "srtpackd".utf8)
        put(PackedLayout.formatVersion, 8)
        put(UInt32(truncatingIfNeeded: sections.count), 12)
        put(digest.0, 16)
        put(digest.1, 24)
        put(UInt64(fileCount), 32)
        put(UInt64(headerCount), 40)
        for (index, section) in sections.enumerated() {
            let entry = entries[index]
            put(UInt64(offsets[index]), entry)
            put(UInt64(section.byteCount), entry + 8)
            put(checksums[index], entry + 16)
            put(UInt64(section.name.utf8.count), entry + 24)
            bytes.replaceSubrange(entry + 32..<entry + 32 + section.name.utf8.count, with: section.name.utf8)
        }
        put(bytes.withUnsafeBytes { checksum64($0) }, PackedLayout.checksumOffset)
        put(PackedLayout.completeMark, PackedLayout.markOffset)
        return bytes
    }

    /// The section checksums that a file holds, if its header is exactly the one a complete file with them has; else nil.
    ///
    /// Nothing in the file steers the reading: the header is built anew and compared byte for byte, and the checksums in it
    /// are covered by its own.
    func storedChecksums(_ file: UnsafeRawBufferPointer, digest: (UInt64, UInt64)) -> [UInt64]? {
        guard file.count == fileCount else { return nil }
        let stored = entries.map { UInt64(littleEndian: file.loadUnaligned(fromByteOffset: $0 + 16, as: UInt64.self)) }
        return file[..<headerCount].elementsEqual(header(digest: digest, checksums: stored)) ? stored : nil
    }

    private static func roundedToPage(_ count: Int) -> Int {
        (count + pageSize - 1) / pageSize * pageSize
    }
}

/// Sixteen hexadecimal digits.
func hexadecimal(_ value: UInt64) -> String {
    let digits = String(value, radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
}
