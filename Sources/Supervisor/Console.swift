internal import ChildRuntime
internal import Glibc

/// The launcher's stderr: its own log lines, the children's lines, and a progress bar on a terminal.
///
/// A reader that does not read must not stop supervision: what cannot be written now waits in a bounded buffer, and beyond
/// that lines are dropped and counted.
final class Console {
    private static let limit = 1 << 20

    let isTerminal: Bool
    private let descriptor: Int32
    private let isQuiet: (LogLine.Level) -> Bool
    private var waiting: [UInt8] = []
    private var dropped = 0
    private var bar = ""
    /// Takes the same lines, once there is a run directory.
    var file: LogFile?

    init(descriptor: Int32 = STDERR_FILENO, isQuiet: @escaping (LogLine.Level) -> Bool) {
        self.descriptor = descriptor
        self.isQuiet = isQuiet
        isTerminal = isatty(descriptor) == 1
    }

    /// Writes a line of the launcher's own, with SGLang's prefix.
    func log(_ line: LogLine) {
        guard !isQuiet(line.level) else { return }
        let mark =
            switch line.level {
            case .info: ""
            case .warning: "WARNING: "
            case .error: "ERROR: "
            }
        write("[\(LineLogHandler.timestamp())] \(mark)\(line.text)")
    }

    /// Passes a line on as it is.
    func write(_ line: String) {
        file?.write(line)
        append((bar.isEmpty ? "" : "\r\u{1b}[K") + line + "\n" + bar)
    }

    /// Shows a bar below everything else, or with an empty text takes it away; nothing where stderr is no terminal.
    func show(bar text: String) {
        guard isTerminal, text != bar else { return }
        bar = text
        append("\r\u{1b}[K" + text)
    }

    private func append(_ text: String) {
        if waiting.count + text.utf8.count > Self.limit {
            dropped += 1
            return
        }
        if dropped > 0, waiting.isEmpty {
            waiting += Array("(\(dropped) lines dropped: stderr was not read)\n".utf8)
            dropped = 0
        }
        waiting += text.utf8
        flush()
    }

    /// Writes what waits, as far as it goes without blocking.
    func flush() {
        var sent = 0
        while sent < waiting.count {
            var item = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
            guard poll(&item, 1, 0) == 1 else { break }
            // A pipe that polls writable takes this much in one piece.
            let count = waiting.withUnsafeBytes {
                Glibc.write(descriptor, $0.baseAddress! + sent, min(4096, $0.count - sent))
            }
            if count < 0, errno != EINTR, errno != EAGAIN {
                sent = waiting.count
            } else if count > 0 {
                sent += count
            }
        }
        if sent > 0 { waiting.removeFirst(sent) }
    }
}
