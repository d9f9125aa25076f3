package import JSON

/// Writes a launcher's state as text for a terminal.
package enum ProcessTable {
    /// A line on the server and one a process.
    package static func text(_ state: JSONValue, now: Double) -> String {
        let header =
            "\(string(state, "address"))  \(string(state, "status"))  launcher pid \(integer(state, "pid"))  "
            + "up \(duration(now - number(state, "started")))  \(string(state, "run_directory"))"
        var rows = [
            ["TITLE", "PID", "GEN", "STATE", "FOR", "RESTARTS", "BEAT", "PHASE", "RUN", "QUEUE", "RSS", "LAST EXIT"]
        ]
        for list in ["processes", "leaving"] {
            for process in state[list]?.arrayValue ?? [] { rows.append(row(process, now: now)) }
        }
        let widths = rows[0].indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
        let lines = rows.map { row in
            zip(row, widths).map { $0 + String(repeating: " ", count: $1 - $0.count) }.joined(separator: "  ")
                .trimmingEnd()
        }
        return ([header] + lines).joined(separator: "\n")
    }

    private static func row(_ process: JSONValue, now: Double) -> [String] {
        var state = string(process, "state")
        if state == "loading", !string(process, "stage").isEmpty {
            state += " \(Int(number(process, "fraction") * 100))%"
        }
        let beat = process["heartbeat_age"]?.doubleValue
        return [
            string(process, "title"), process["pid"]?.intValue.map(String.init) ?? "-", integer(process, "generation"),
            state,
            duration(now - number(process, "since")), integer(process, "restarts"), beat.map(duration) ?? "-",
            string(process, "phase").isEmpty ? "-" : string(process, "phase"), integer(process, "running"),
            integer(process, "queued"), "\((process["resident_bytes"]?.intValue ?? 0) >> 20)M",
            process["last_exit"]?["reason"]?.stringValue ?? "-",
        ]
    }

    private static func string(_ value: JSONValue, _ key: String) -> String { value[key]?.stringValue ?? "" }

    private static func integer(_ value: JSONValue, _ key: String) -> String { String(value[key]?.intValue ?? 0) }

    private static func number(_ value: JSONValue, _ key: String) -> Double { value[key]?.doubleValue ?? 0 }

    /// A span of time in its two largest units.
    package static func duration(_ seconds: Double) -> String {
        let whole = Int(max(0, seconds))
        return switch whole {
        case ..<60: "\(whole)s"
        case ..<3600: "\(whole / 60)m\(whole % 60)s"
        case ..<86400: "\(whole / 3600)h\(whole % 3600 / 60)m"
        default: "\(whole / 86400)d\(whole % 86400 / 3600)h"
        }
    }
}

extension String {
    fileprivate func trimmingEnd() -> String {
        var copy = self
        while copy.last == " " { copy.removeLast() }
        return copy
    }
}
