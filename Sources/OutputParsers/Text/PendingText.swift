internal import Values

/// Text that has come in and has not been decided on yet.
///
/// It is searched by bytes: a marker is found wherever its bytes stand, whatever grapheme cluster they belong to.
struct PendingText: Sendable {
    private var bytes: [UInt8] = []
    private var start = 0

    init() {}

    init(_ text: String) { bytes = Array(text.utf8) }

    var count: Int { bytes.count - start }
    var isEmpty: Bool { count == 0 }

    /// A byte counted from the first that is left.
    subscript(place: Int) -> UInt8 { bytes[start + place] }

    mutating func append(_ text: String) {
        // What was taken goes once it is the larger part, so that a long answer costs linear time.
        if start > 4096, start > bytes.count / 2 {
            bytes.removeFirst(start)
            start = 0
        }
        bytes.append(contentsOf: text.utf8)
    }

    /// Removes bytes from the front and gives them as text.
    mutating func take(_ count: Int) -> String {
        let text = self.text(0..<count)
        drop(count)
        return text
    }

    /// Removes all that is left and gives it as text.
    mutating func takeAll() -> String { take(count) }

    mutating func drop(_ count: Int) {
        start += count
        if start == bytes.count {
            bytes.removeAll(keepingCapacity: true)
            start = 0
        }
    }

    /// Removes the first character, if there is one; whether there was.
    mutating func dropCharacter() -> Bool {
        guard !isEmpty else { return false }
        let first = self[0]
        drop(first < 0x80 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4)
        return true
    }

    /// A part of what is left, as text.
    func text(_ range: Range<Int>) -> String {
        String(decoding: bytes[start + range.lowerBound..<start + range.upperBound], as: UTF8.self)
    }

    /// All that is left, as text.
    var text: String { text(0..<count) }

    /// Where a marker stands for the first time at `place` or behind it.
    func place(of marker: String, from place: Int = 0) -> Int? {
        var marker = marker
        return marker.withUTF8 { unsafe bytes[start...].firstRange(ofBytes: $0, from: start + place)?.lowerBound }
            .map { $0 - start }
    }

    /// Whether what is left begins with a marker at `place`.
    func begins(with marker: String, at place: Int = 0) -> Bool {
        count - place >= marker.utf8.count && bytes[(start + place)...].starts(with: marker.utf8)
    }

    /// Whether what is left, from `place` on, is the beginning of a marker and no more than that.
    func isBeginning(of marker: String, at place: Int = 0) -> Bool {
        count - place < marker.utf8.count && marker.utf8.starts(with: bytes[(start + place)...])
    }

    /// How many bytes at the end could be the beginning of a marker: they are held back until more has come.
    func heldBack(for marker: String) -> Int {
        var length = min(count, marker.utf8.count - 1)
        while length > 0, !marker.utf8.starts(with: bytes[(bytes.count - length)...]) { length -= 1 }
        return max(length, 0)
    }

    /// The same for several markers.
    func heldBack(for markers: [String]) -> Int {
        markers.reduce(0) { max($0, heldBack(for: $1)) }
    }

    /// The same with ASCII letters made small.
    var lowered: PendingText {
        var text = PendingText()
        text.bytes = bytes[start...].map { 0x41...0x5A ~= $0 ? $0 | 0x20 : $0 }
        return text
    }
}
