internal import Glibc
package import Logging
package import Values

/// Writes one line an event to stderr, prefixed as SGLang does: `[2026-01-01 00:00:00 TP0] text`.
package struct LineLogHandler: LogHandler {
    package var logLevel: Logger.Level
    package var metadata: Logger.Metadata = [:]
    private let suffix: String

    /// `suffix` follows the time, e.g. `TP0`; empty for processes without one.
    package init(level: Logger.Level, suffix: String) {
        logLevel = level
        self.suffix = suffix
    }

    package subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    package func log(event: LogEvent) {
        let mark = event.level >= .warning ? "\(event.level.rawValue.uppercased()): " : ""
        var line = "[\(Self.timestamp())\(suffix.isEmpty ? "" : " " + suffix)] \(mark)\(event.message)"
        for (key, value) in metadata.merging(event.metadata ?? [:], uniquingKeysWith: { $1 }).sorted(by: {
            $0.key < $1.key
        }) {
            line += " \(key)=\(value)"
        }
        line += "\n"
        // One write a line, so that lines of several processes do not mix.
        line.withUTF8 { _ = write(STDERR_FILENO, $0.baseAddress, $0.count) }
    }

    /// The local time as SGLang prints it.
    package static func timestamp() -> String { CalendarTime.now().logStamp }

    /// The logger of a process.
    package static func logger(label: String, level: LogLevel, suffix: String = "") -> Logger {
        Logger(label: label) { _ in LineLogHandler(level: Logger.Level(level), suffix: suffix) }
    }
}

extension Logger.Level {
    /// The level of that name.
    fileprivate init(_ level: LogLevel) {
        switch level {
        case .debug: self = .debug
        case .info: self = .info
        case .warning: self = .warning
        case .error: self = .error
        case .critical: self = .critical
        }
    }
}
