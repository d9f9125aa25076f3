internal import Glibc
internal import Logging
internal import ServerSettings

/// Where records of experts are written.
struct ExpertRecordFolder {
    let path: String
    let log: Logger

    /// Why a record was not written.
    struct Fault: Error, CustomStringConvertible {
        let description: String
    }

    /// Writes a record under the time `now` (seconds since 1970): the file for torch and the table beside it. Gives the path of
    /// the first.
    func write(_ record: ExpertRecord, now: Double) throws(Fault) -> String {
        guard let bytes = record.torch.bytes else {
            throw Fault(description: "the record is larger than 4 GiB; dump it more often")
        }
        let rank = record.mode == .perPass || record.mode == .perToken ? "_0" : ""
        let stem = "\(path)/expert_distribution_recorder_\(now)\(rank)"
        log.info("Write expert distribution to \(stem).pt")
        try makeFolder()
        try write(Array(record.table.utf8), to: stem + ".csv")
        try write(bytes, to: stem + ".pt")
        return stem + ".pt"
    }

    /// Makes the folder and those above it that are not there.
    private func makeFolder() throws(Fault) {
        for end in path.indices.dropFirst() where path[end] == "/" { mkdir(String(path[..<end]), 0o755) }
        guard mkdir(path, 0o755) == 0 || errno == EEXIST else { throw .ofSystem(path) }
    }

    /// Writes a file beside its place and moves it there, so that nobody reads half of one.
    private func write(_ bytes: [UInt8], to file: String) throws(Fault) {
        let draft = file + ".part"
        let descriptor = open(draft, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw .ofSystem(draft) }
        defer { close(descriptor) }
        var written = 0
        while written < bytes.count {
            let count = bytes.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress! + written, $0.count - written) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else {
                let fault = Fault.ofSystem(draft)
                unlink(draft)
                throw fault
            }
            written += count
        }
        guard rename(draft, file) == 0 else { throw .ofSystem(file) }
    }
}

extension ExpertRecordFolder.Fault {
    fileprivate static func ofSystem(_ path: String) -> Self {
        Self(description: "\(path): \(String(cString: strerror(errno)))")
    }
}
