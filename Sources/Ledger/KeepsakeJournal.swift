internal import CPlatform
internal import Glibc
internal import Messages

/// What fronts wrote down, in memory that outlives the front and that two fronts may use at a time.
///
/// A header of four 64-bit words (mark, epoch, where the records begin, where they end), then records, each behind its length.
/// A record counts once the header says so, hence a front that dies while writing leaves none in halves. Whoever writes the
/// records anew, shorter, puts them behind the old ones, counts the epoch up in the same header, and gives the old memory back.
struct KeepsakeJournal: ~Copyable {
    private struct Header {
        var mark = KeepsakeJournal.mark
        var epoch: UInt64 = 1
        var start = UInt64(MemoryLayout<Header>.size)
        var end = UInt64(MemoryLayout<Header>.size)
    }

    private static let mark: UInt64 = 0x3130_7373_6573_7273  // "srsess01"
    private let descriptor: Int32
    private let isOwn: Bool
    /// How far this front has read.
    private var epoch: UInt64 = 0
    private var place: UInt64 = 0

    /// Uses the memory behind a descriptor; without one, memory of its own.
    init(descriptor: Int32?) {
        isOwn = descriptor == nil
        self.descriptor = descriptor ?? platform_shared_memory("srt-sessions")
    }

    deinit { if isOwn, descriptor >= 0 { close(descriptor) } }

    /// Does something while no other front uses the journal.
    mutating func exclusively<Result>(_ body: (inout KeepsakeJournal) -> Result) -> Result {
        lock(F_WRLCK)
        defer { lock(F_UNLCK) }
        return body(&self)
    }

    /// Records that came since the last call; `fromStart` when they tell everything there is.
    mutating func news() -> (fromStart: Bool, records: [SessionRecord]) {
        let header = header()
        let fromStart = header.epoch != epoch
        if fromStart { (epoch, place) = (header.epoch, header.start) }
        var records: [SessionRecord] = []
        while place + 8 <= header.end {
            let length = read(at: place, count: 8).withUnsafeBytes { $0.loadUnaligned(as: UInt64.self) }
            if let record = SessionRecord(encoded: read(at: place + 8, count: Int(length))) { records.append(record) }
            place += 8 + length
        }
        return (fromStart, records)
    }

    /// Bytes of all records.
    var size: Int {
        let header = header()
        return Int(header.end - header.start)
    }

    /// Adds a record. Where there is no memory for it everything stays as it was.
    func append(_ record: SessionRecord) {
        var header = header()
        guard let end = write([record], at: header.end) else { return }
        header.end = end
        commit(header)
    }

    /// Puts records in the place of all that are there, if there is memory for both.
    func replace(with records: [SessionRecord]) {
        var header = header()
        let old = header
        (header.start, header.epoch) = (old.end, old.epoch + 1)
        guard let end = write(records, at: header.start) else { return }
        header.end = end
        commit(header)
        platform_release_memory(descriptor, off_t(old.start), off_t(old.end - old.start))
    }

    private func header() -> Header {
        let bytes = read(at: 0, count: MemoryLayout<Header>.size)
        let header = bytes.withUnsafeBytes { $0.loadUnaligned(as: Header.self) }
        return header.mark == Self.mark ? header : Header()
    }

    private func commit(_ header: Header) {
        _ = withUnsafeBytes(of: header) { pwrite(descriptor, $0.baseAddress!, $0.count, 0) }
    }

    /// Writes records one behind the other; where the next one would be, nil when memory is short.
    private func write(_ records: [SessionRecord], at start: UInt64) -> UInt64? {
        var place = start
        for record in records {
            let payload = record.encoded
            let bytes = withUnsafeBytes(of: UInt64(payload.count)) { Array($0) } + payload
            var written = 0
            while written < bytes.count {
                let count = bytes.withUnsafeBytes {
                    pwrite(descriptor, $0.baseAddress! + written, bytes.count - written, off_t(place) + off_t(written))
                }
                guard count > 0 else { return nil }
                written += count
            }
            place += UInt64(bytes.count)
        }
        return place
    }

    /// The bytes from a place on; what was never written is zero.
    private func read(at place: UInt64, count: Int) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        var got = 0
        while got < count {
            let more = bytes.withUnsafeMutableBytes {
                pread(descriptor, $0.baseAddress! + got, count - got, off_t(place) + off_t(got))
            }
            guard more > 0 else { break }
            got += more
        }
        return bytes
    }

    /// The lock goes with the process that holds it.
    private func lock(_ kind: Int32) {
        var range = flock()
        range.l_type = Int16(kind)
        range.l_whence = Int16(SEEK_SET)
        while fcntl(descriptor, F_SETLKW, &range) != 0, errno == EINTR {}
    }
}
