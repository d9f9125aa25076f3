/// How scalars are written as bytes.
enum Spelling: Hashable, Sendable {
    /// As UTF-8.
    case plain
    /// As inside a string of JSON: as UTF-8 where that is allowed, by a short escape or by `\u`, which may be upper or lower case.
    case quoted
    /// As inside a string of JSON, but with escapes only where there have to be some.
    case quotedPlainly

    /// A byte's choices at each place of a way to write something.
    typealias Sequence = [[ClosedRange<UInt8>]]

    /// All ways to write one of the scalars of a set.
    func sequences(_ set: ScalarSet) -> [Sequence] {
        switch self {
        case .plain: return Self.utf8(set)
        case .quoted:
            let raw = set.subtracting(Self.escaped)
            return Self.utf8(raw) + Self.shortEscapes(set) + Self.longEscapes(set)
        case .quotedPlainly:
            let escaped = set.intersection(Self.escaped)
            return Self.utf8(set.subtracting(Self.escaped)) + Self.shortEscapes(escaped) + Self.longEscapes(escaped)
        }
    }

    /// What may not stand in a string as it is.
    private static let escaped = ScalarSet([0...0x1F, 0x22...0x22, 0x5C...0x5C])

    private static let letters: [(scalar: UInt32, letter: Character)] = [
        (0x22, "\""), (0x5C, "\\"), (0x2F, "/"), (0x08, "b"), (0x0C, "f"), (0x0A, "n"), (0x0D, "r"), (0x09, "t"),
    ]

    private static func shortEscapes(_ set: ScalarSet) -> [Sequence] {
        var sequences: [Sequence] = []
        for (scalar, letter) in letters where set.ranges.contains(where: { $0.contains(scalar) }) {
            let byte = letter.asciiValue!
            sequences.append([[0x5C...0x5C], [byte...byte]])
        }
        return sequences
    }

    // MARK: UTF-8

    private static func utf8(_ set: ScalarSet) -> [Sequence] {
        let lengths: [(range: ClosedRange<UInt32>, more: Int)] = [
            (0...0x7F, 0), (0x80...0x7FF, 1), (0x800...0xFFFF, 2), (0x10000...0x10FFFF, 3),
        ]
        var sequences: [Sequence] = []
        for range in set.ranges {
            for length in lengths where range.overlaps(length.range) {
                digits(range.clamped(to: length.range), bits: 6, more: length.more) { parts in
                    sequences.append(
                        parts.enumerated().map { index, part in
                            let mark = index == 0 ? [0, 0xC0, 0xE0, 0xF0][length.more] : 0x80 as UInt32
                            return [UInt8(mark | part.lowerBound)...UInt8(mark | part.upperBound)]
                        })
                }
            }
        }
        return sequences
    }

    /// Splits a range of numbers into blocks in which each digit (of `bits` bits, the first of as many as there are) takes a range of
    /// its own, whatever the others are.
    private static func digits(
        _ range: ClosedRange<UInt32>, bits: UInt32, more: Int, _ emit: ([ClosedRange<UInt32>]) -> Void
    ) {
        let (low, high) = (range.lowerBound, range.upperBound)
        for place in stride(from: 1, through: more, by: 1) {
            let mask: UInt32 = (1 << (bits * UInt32(place))) - 1
            guard low & ~mask != high & ~mask else { continue }
            if low & mask != 0 {
                digits(low...(low | mask), bits: bits, more: more, emit)
                digits(((low | mask) + 1)...high, bits: bits, more: more, emit)
                return
            }
            if high & mask != mask {
                digits(low...((high & ~mask) - 1), bits: bits, more: more, emit)
                digits((high & ~mask)...high, bits: bits, more: more, emit)
                return
            }
        }
        var parts: [ClosedRange<UInt32>] = []
        for place in stride(from: more, through: 0, by: -1) {
            let shift = bits * UInt32(place)
            let mask: UInt32 = place == more ? .max : (1 << bits) - 1
            parts.append(((low >> shift) & mask)...((high >> shift) & mask))
        }
        emit(parts)
    }

    // MARK: \u

    private static func longEscapes(_ set: ScalarSet) -> [Sequence] {
        var sequences: [Sequence] = []
        let wide: ClosedRange<UInt32> = 0x10000...0x10FFFF
        for range in set.ranges {
            if range.lowerBound < 0x10000 {
                sequences += hex(range.clamped(to: 0...0xFFFF))
            }
            guard range.overlaps(wide) else { continue }
            let part = range.clamped(to: wide)
            digits((part.lowerBound - 0x10000)...(part.upperBound - 0x10000), bits: 10, more: 1) { halves in
                let high = hex((0xD800 + halves[0].lowerBound)...(0xD800 + halves[0].upperBound))
                let low = hex((0xDC00 + halves[1].lowerBound)...(0xDC00 + halves[1].upperBound))
                for first in high { for second in low { sequences.append(first + second) } }
            }
        }
        return sequences
    }

    /// Four digits behind `\u`.
    private static func hex(_ range: ClosedRange<UInt32>) -> [Sequence] {
        var sequences: [Sequence] = []
        digits(range, bits: 4, more: 3) { parts in
            sequences.append([[0x5C...0x5C], [0x75...0x75]] + parts.map(hexBytes))
        }
        return sequences
    }

    private static func hexBytes(_ digits: ClosedRange<UInt32>) -> [ClosedRange<UInt8>] {
        var bytes: [ClosedRange<UInt8>] = []
        let (low, high) = (UInt8(digits.lowerBound), UInt8(digits.upperBound))
        if low < 10 { bytes.append((0x30 + low)...(0x30 + min(high, 9))) }
        if high > 9 {
            let first = max(low, 10) - 10
            bytes.append((0x41 + first)...(0x41 + high - 10))
            bytes.append((0x61 + first)...(0x61 + high - 10))
        }
        return bytes
    }
}
