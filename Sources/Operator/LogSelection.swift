internal import Supervisor

/// Which lines of a server's log an operator wants.
package struct LogSelection: Sendable {
    /// How many of the last ones.
    package var count = 100
    /// A text that they hold; nil for all.
    package var text: String?

    package init() {}

    /// Whether a line is one of them.
    package func wants(_ line: String) -> Bool { text.map { line.contains($0) } ?? true }

    /// The last wanted lines of the log's two files, of which `old` came before `new`.
    package func last(of old: [UInt8], _ new: [UInt8]) -> [String] {
        (old + new).split(separator: 10).map { String(decoding: $0, as: UTF8.self) }.filter(wants).suffix(count)
    }
}

/// Reads on in a log that grows and, when it is full, is put aside for a new one.
package struct LogFollower: Sendable {
    private var position: Int
    private var tail = LineTail()

    /// Begins behind so many bytes of the newest file.
    package init(from position: Int) { self.position = position }

    /// The complete lines that came since the last look. `old` gives the file before the newest, which is read to its end when
    /// a new one has begun.
    package mutating func news(_ new: [UInt8], old: () -> [UInt8]?) -> [String] {
        var lines: [String] = []
        // A shorter file is a new one.
        if new.count < position {
            if let old = old(), old.count > position { lines = tail.append(old[position...]) }
            position = 0
        }
        lines += tail.append(new[position...])
        position = new.count
        return lines
    }
}
