/// Takes server-sent events out of the pieces in which they arrive.
package struct EventStreamParser {
    private var line: [UInt8] = []
    private var data: [UInt8] = []
    private var hasData = false

    /// Starts at the beginning of a stream.
    package init() {}

    /// Takes the next piece, and gives the data of each event that it completes.
    ///
    /// Comments and other fields than `data` are of no use here.
    package mutating func append(_ piece: UnsafeRawBufferPointer, onEvent: ([UInt8]) -> Void) {
        var rest = piece[...]
        while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
            line += rest[..<end]
            rest = rest[(end + 1)...]
            takeLine(onEvent)
            line.removeAll(keepingCapacity: true)
        }
        line += rest
    }

    private mutating func takeLine(_ onEvent: ([UInt8]) -> Void) {
        if line.last == UInt8(ascii: "\r") { line.removeLast() }
        if line.isEmpty {
            if hasData { onEvent(data) }
            data.removeAll(keepingCapacity: true)
            hasData = false
            return
        }
        guard line.starts(with: "data:".utf8) else { return }
        if hasData { data.append(UInt8(ascii: "\n")) }
        data += line.dropFirst(line.count > 5 && line[5] == UInt8(ascii: " ") ? 6 : 5)
        hasData = true
    }
}
