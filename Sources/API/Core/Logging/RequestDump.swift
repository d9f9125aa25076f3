internal import Glibc
internal import JSON
internal import Ledger
internal import Synchronization
internal import Values

/// Answered requests as lines of JSON in a folder, so many in a file. A line is written when its request is answered: what was
/// answered is there, whoever dies.
package final class RequestDump: Sendable {
    /// What is dumped, and where.
    package struct Choices: Sendable, Equatable {
        /// Empty: nothing is.
        package var folder = ""
        /// Requests in one file.
        package var threshold = 1000
        /// Members of meta_info that are left out.
        package var excludedKeys: [String] = []

        package init() {}
    }

    let choices: Choices
    private let current: Mutex<(file: LineFile, count: Int)>

    /// Opens the first file.
    ///
    /// - Throws: `.invalid` when the folder cannot be written to.
    init(_ choices: Choices) throws(RequestFailure) {
        self.choices = choices
        current = Mutex((try Self.file(in: choices.folder), 0))
    }

    private static func file(in folder: String) throws(RequestFailure) -> LineFile {
        let stamp = CalendarTime.now().iso.replacing(":", with: "-").replacing("T", with: "_")
        return try LineFile(folder: folder, name: "\(stamp)_\(getpid()).jsonl")
    }

    /// Takes a request that was answered.
    func take(_ row: LedgerRow) {
        var meta = RequestRecord.metaInfo(row)
        for key in choices.excludedKeys { meta[key] = nil }
        let record = RequestRecord(row.errand, rid: row.rid, level: 3, headers: [:])
        var object = record.json(.finished(row), at: CalendarTime.now().iso).objectValue ?? [:]
        var out = object["out"]?.objectValue ?? [:]
        out["meta_info"] = .object(meta)
        object["out"] = .object(out)
        append(JSON.encodeToString(.object(object)))
    }

    private func append(_ line: String) {
        current.withLock { current in
            if current.count == choices.threshold, let next = try? Self.file(in: choices.folder) {
                current = (next, 0)
            }
            current.file.append(line)
            current.count += 1
        }
    }

    /// Waits until every line is in its file.
    func settle() { current.withLock { $0.file }.settle() }
}
