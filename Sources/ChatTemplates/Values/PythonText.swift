/// Texts as Python sees them: sequences of code points, equal only where all of these are.
enum PythonText {
    /// A text as a key of dictionaries and sets.
    struct Key: Hashable {
        let text: String

        init(_ text: String) { self.text = text }

        static func == (a: Key, b: Key) -> Bool { PythonText.equal(a.text, b.text) }

        func hash(into hasher: inout Hasher) {
            for byte in text.utf8 { hasher.combine(byte) }
        }
    }

    /// Whether two texts are the same; Swift's `==` also calls those equal that only look the same.
    static func equal(_ a: String, _ b: String) -> Bool {
        a.utf8.count == b.utf8.count && a.utf8.elementsEqual(b.utf8)
    }

    /// Whether one text stands before another by code points, as their bytes do too.
    static func less(_ a: String, _ b: String) -> Bool { a.utf8.lexicographicallyPrecedes(b.utf8) }

    /// What `str.isspace` and `str.strip` take for space.
    static func isSpace(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x09...0x0D, 0x1C...0x20, 0x85, 0xA0, 0x1680, 0x2000...0x200A, 0x2028, 0x2029, 0x202F, 0x205F, 0x3000: true
        default: false
        }
    }

    /// What `str.splitlines` takes for the end of a line.
    static func isLineBreak(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x0A...0x0D, 0x1C...0x1E, 0x85, 0x2028, 0x2029: true
        default: false
        }
    }

    /// Length in code points.
    static func length(_ text: String) -> Int {
        text.utf8.count == 0 ? 0 : text.unicodeScalars.count
    }

    /// The text without what is at its ends; without a set of characters, without space.
    static func strip(_ text: String, _ characters: String?, left: Bool = true, right: Bool = true) -> String {
        let scalars = text.unicodeScalars
        let set = characters.map { Set($0.unicodeScalars) }
        let isStripped = { (scalar: Unicode.Scalar) in set?.contains(scalar) ?? isSpace(scalar) }
        var start = scalars.startIndex
        var end = scalars.endIndex
        if left { while start < end, isStripped(scalars[start]) { start = scalars.index(after: start) } }
        if right {
            while end > start {
                let before = scalars.index(before: end)
                guard isStripped(scalars[before]) else { break }
                end = before
            }
        }
        if start == scalars.startIndex, end == scalars.endIndex { return text }
        return String(scalars[start..<end])
    }

    /// Places, in bytes, where a part begins, left to right without overlap, at most `limit`.
    static func places(of part: [UInt8], in text: [UInt8], limit: Int = .max) -> [Int] {
        var found: [Int] = []
        guard !part.isEmpty, text.count >= part.count else { return [] }
        var place = 0
        let last = text.count - part.count
        while place <= last, found.count < limit {
            if text[place] == part[0], text[place..<(place + part.count)].elementsEqual(part) {
                found.append(place)
                place += part.count
            } else {
                place += 1
            }
        }
        return found
    }

    /// Whether a part occurs in a text.
    static func contains(_ text: String, _ part: String) -> Bool {
        if part.isEmpty { return true }
        return !places(of: Array(part.utf8), in: Array(text.utf8), limit: 1).isEmpty
    }

    /// The text with one part in place of another, at most `count` times from the left.
    static func replace(_ text: String, _ part: String, _ replacement: String, count: Int = .max) -> String {
        if count <= 0 { return text }
        if part.isEmpty { return interleave(text, replacement, count: count) }
        let bytes = Array(text.utf8)
        let found = places(of: Array(part.utf8), in: bytes, limit: count)
        if found.isEmpty { return text }
        var result: [UInt8] = []
        let new = Array(replacement.utf8)
        var place = 0
        for start in found {
            result.append(contentsOf: bytes[place..<start])
            result.append(contentsOf: new)
            place = start + part.utf8.count
        }
        result.append(contentsOf: bytes[place...])
        return String(decoding: result, as: UTF8.self)
    }

    private static func interleave(_ text: String, _ replacement: String, count: Int) -> String {
        var result = String.UnicodeScalarView()
        var left = count
        for scalar in text.unicodeScalars {
            if left > 0 { result.append(contentsOf: replacement.unicodeScalars) }
            left -= 1
            result.append(scalar)
        }
        if left > 0 { result.append(contentsOf: replacement.unicodeScalars) }
        return String(result)
    }
}
