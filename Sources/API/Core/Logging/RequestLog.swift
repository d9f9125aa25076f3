internal import Glibc
internal import JSON
package import Ledger
package import Logging
package import ServerSettings
internal import Synchronization
internal import Values

/// Lines about single requests, for operators who asked for them, and files with those that were answered.
package final class RequestLog: Sendable {
    /// Everything that can be asked for while the server runs.
    package struct Choices: Sendable, Equatable {
        package var lines: RequestLogChoices
        package var dump = RequestDump.Choices()

        package init(lines: RequestLogChoices = RequestLogChoices(), dump: RequestDump.Choices = .init()) {
            (self.lines, self.dump) = (lines, dump)
        }
    }

    private struct State {
        var choices: Choices
        /// Where lines go besides the log, by folder.
        var files: [LineFile] = []
        var dump: RequestDump?
    }

    private let log: Logger
    private let raw: @Sendable (String) -> Void
    private let state: Mutex<State>

    /// A log that does as it is told from the start.
    ///
    /// - Parameter raw: takes lines that stand in the server's log without its prefix.
    package init(
        _ log: Logger, _ choices: Choices = Choices(),
        raw: @escaping @Sendable (String) -> Void = RequestLog.toStandardError
    ) {
        (self.log, self.raw) = (log, raw)
        state = Mutex(State(choices: choices))
        do { try set(choices) } catch { log.error("Requests are not logged as asked: \(error.message)") }
    }

    /// What is asked for at present.
    package var choices: Choices { state.withLock { $0.choices } }

    /// Does other things from now on.
    ///
    /// - Throws: when a folder cannot be used; nothing changes then.
    package func set(_ choices: Choices) throws(RequestFailure) {
        var files: [LineFile] = []
        for folder in (choices.lines.targets ?? []) where choices.lines.isOn && folder != "stdout" {
            files.append(try LineFile(folder: folder, name: "\(Self.host)_0.log"))
        }
        let dump = try choices.dump.folder.isEmpty ? nil : RequestDump(choices.dump)
        state.withLock { state in
            (state.choices, state.files) = (choices, files)
            // One that goes on as before keeps its file.
            if state.dump?.choices != dump?.choices { state.dump = dump }
        }
    }

    private static let host: String = {
        var name = utsname()
        uname(&name)
        return withUnsafeBytes(of: &name.nodename) { bytes in
            String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
        }
    }()

    /// Writes a line to standard error as it is.
    package static let toStandardError: @Sendable (String) -> Void = { line in
        var line = line + "\n"
        line.withUTF8 { _ = Glibc.write(STDERR_FILENO, $0.baseAddress, $0.count) }
    }

    // MARK: Requests

    /// A request has its rows.
    func received(_ order: Answering.Order) {
        guard order.isLogged else { return }
        let (choices, files) = state.withLock { ($0.choices.lines, $0.files) }
        guard choices.isOn else { return }
        for opening in order.openings {
            let record = RequestRecord(
                opening.errand, rid: opening.rid, level: choices.level, headers: order.headers)
            write(record, .received, choices, files)
        }
    }

    /// One of OpenAI's routes has its request's body.
    func received(body: JSONValue, headers: JSONObject) {
        let (choices, files) = state.withLock { ($0.choices.lines, $0.files) }
        guard choices.isOn else { return }
        let shown = RequestRecord.shown(body, choices.level)
        write(
            choices, files,
            text: { "Receive OpenAI: obj=" + RequestRecord.python(shown) + RequestRecord.python(headers: headers) },
            json: { time in
                var object: JSONObject = ["timestamp": .string(time), "event": "request.received.openai"]
                object["obj"] = shown
                if !headers.isEmpty { object["headers"] = .object(headers) }
                return .object(object)
            })
    }

    /// A request has its answer.
    func finished(_ rows: [LedgerRow], _ order: Answering.Order) {
        let (choices, files, dump) = state.withLock { ($0.choices.lines, $0.files, $0.dump) }
        if let dump { for row in rows { dump.take(row) } }
        guard order.isLogged, choices.isOn else { return }
        for row in rows {
            let record = RequestRecord(row.errand, rid: row.rid, level: choices.level, headers: order.headers)
            write(record, .finished(row), choices, files)
        }
    }

    private func write(
        _ record: RequestRecord, _ event: RequestRecord.Event, _ choices: RequestLogChoices, _ files: [LineFile]
    ) {
        write(choices, files, text: { record.text(event) }, json: { record.json(event, at: $0) })
    }

    /// `json` is told the time.
    private func write(
        _ choices: RequestLogChoices, _ files: [LineFile], text: () -> String, json: (String) -> JSONValue
    ) {
        let targets = choices.targets ?? ["stdout"]
        switch choices.format {
        case .text:
            let line = text()
            if targets.contains("stdout") { log.info("\(line)") }
            for file in files { file.append("[\(CalendarTime.now().logStamp)] \(line)") }
        case .json:
            let line = JSON.encodeToString(json(CalendarTime.now().iso))
            if targets.contains("stdout") { raw(line) }
            for file in files { file.append(line) }
        }
    }

    /// Waits until everything that was written has reached its file.
    package func settle() {
        let (files, dump) = state.withLock { ($0.files, $0.dump) }
        for file in files { file.settle() }
        dump?.settle()
    }
}
