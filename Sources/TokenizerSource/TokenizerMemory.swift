internal import Glibc
internal import Models

/// Memory that the processes of a server share and its launcher keeps: what one has read of a tokenizer the next one need not.
///
/// A header of a mark, the count of bytes and their checksum (64 bits each), then the bytes. Whoever finds anything else, because
/// nobody has written yet, or because somebody writes now or died while writing, finds nothing; so nobody needs a lock.
package struct TokenizerMemory: Sendable {
    private let descriptor: Int32

    /// Uses the memory behind a descriptor, or none if that is not open.
    package init(descriptor: Int32) { self.descriptor = descriptor }

    private static let mark: UInt64 = 0x3130_6b6f_7420_7273  // "sr tok01"
    private static let headerSize = 24

    /// What was written last, if it is whole.
    package func read() -> [UInt8]? {
        guard let header = read(at: 0, count: Self.headerSize) else { return nil }
        let words = header.withUnsafeBytes { Array($0.bindMemory(to: UInt64.self)) }
        guard words[0] == Self.mark, words[1] < 1 << 32,
            let bytes = read(at: Self.headerSize, count: Int(words[1])), Self.checksum(bytes) == words[2]
        else { return nil }
        return bytes
    }

    /// Keeps bytes for others; if that fails they have to read the files themselves.
    package func write(_ bytes: [UInt8]) {
        guard write(bytes, at: Self.headerSize) else { return }
        let words = [Self.mark, UInt64(bytes.count), Self.checksum(bytes)]
        _ = write(words.withUnsafeBytes { Array($0) }, at: 0)
    }

    private func read(at offset: Int, count: Int) -> [UInt8]? {
        var status = stat()
        guard fstat(descriptor, &status) == 0, Int(status.st_size) >= offset + count else { return nil }
        let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            while filled < count {
                let got = pread(descriptor, buffer.baseAddress! + filled, count - filled, off_t(offset + filled))
                if got <= 0 { break }
                filled += got
            }
        }
        return bytes.count == count ? bytes : nil
    }

    private func write(_ bytes: [UInt8], at offset: Int) -> Bool {
        var written = 0
        while written < bytes.count {
            let count = bytes.withUnsafeBytes {
                pwrite(descriptor, $0.baseAddress! + written, bytes.count - written, off_t(offset + written))
            }
            if count <= 0 { return false }
            written += count
        }
        return true
    }

    private static func checksum(_ bytes: [UInt8]) -> UInt64 { bytes.withUnsafeBytes { checksum64($0) } }
}
