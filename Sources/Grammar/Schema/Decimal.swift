internal import JSON

/// A number with all its digits.
struct Decimal: Hashable, Comparable {
    /// Below zero.
    let isNegative: Bool
    /// Digits before the point without leading zeros (none for 0), and behind it without trailing ones.
    let whole: [UInt8]
    let fraction: [UInt8]

    /// A number of JSON; nil for anything else.
    init?(_ value: JSONValue) {
        switch value {
        case .int(let number): self.init(text: "\(number)")
        case .unsigned(let number): self.init(text: "\(number)")
        case .double(let number):
            guard number.isFinite else { return nil }
            self.init(text: "\(number)")
        default: return nil
        }
    }

    /// A number in decimals, with or without an exponent.
    init(text: String) {
        var digits: [UInt8] = []
        var point: Int?
        var exponent = 0
        let parts = text.lowercased().split(separator: "e")
        for byte in parts[0].utf8 {
            if byte == UInt8(ascii: ".") { point = digits.count } else if byte >= 0x30 { digits.append(byte - 0x30) }
        }
        if parts.count > 1 { exponent = Int(parts[1]) ?? 0 }
        let place = (point ?? digits.count) + exponent
        if place < 0 { digits.insert(contentsOf: Array(repeating: 0, count: -place), at: 0) }
        if place > digits.count { digits += Array(repeating: 0, count: place - digits.count) }
        let cut = max(place, 0)
        whole = Array(digits[..<cut].drop { $0 == 0 })
        var rest = Array(digits[cut...])
        while rest.last == 0 { rest.removeLast() }
        fraction = rest
        isNegative = text.hasPrefix("-") && !(whole.isEmpty && fraction.isEmpty)
    }

    /// Whether it is 0.
    var isZero: Bool { whole.isEmpty && fraction.isEmpty }
    /// Whether nothing stands behind the point.
    var isInteger: Bool { fraction.isEmpty }

    /// As JSON writes it.
    var text: String {
        let digits = { (list: [UInt8]) in list.map { "\($0)" }.joined() }
        return (isNegative ? "-" : "") + (whole.isEmpty ? "0" : digits(whole))
            + (isInteger ? "" : "." + digits(fraction))
    }

    static func < (one: Decimal, other: Decimal) -> Bool {
        if one.isNegative != other.isNegative { return one.isNegative }
        return one.isNegative ? other.isCloser(than: one) : one.isCloser(than: other)
    }

    /// Whether it is nearer to 0.
    private func isCloser(than other: Decimal) -> Bool {
        if whole.count != other.whole.count { return whole.count < other.whole.count }
        if whole != other.whole { return whole.lexicographicallyPrecedes(other.whole) }
        return fraction.lexicographicallyPrecedes(other.fraction)
    }
}

/// A number that others are to be multiples of: so many tenths, hundredths, ….
struct Divisor: Hashable {
    /// How many of the smallest places it has.
    let count: Int
    /// Digits behind the point.
    let places: Int

    /// Nil for one that asks for too many states.
    init?(_ number: Decimal) {
        let digits = Array((number.whole + number.fraction).drop { $0 == 0 })
        guard !digits.isEmpty, digits.count < 5, number.fraction.count <= 20 else { return nil }
        count = digits.reduce(0) { $0 * 10 + Int($1) }
        places = number.fraction.count
        if count > 1_000 { return nil }
    }

    /// Whether its multiples are integers.
    var isInteger: Bool { places == 0 }

    /// What is left of a number of `places` digits behind the point when one more is read.
    func remainder(_ remainder: Int, then digit: UInt8) -> Int { (remainder * 10 + Int(digit)) % count }

    /// Whether a number is a multiple.
    func divides(_ number: Decimal) -> Bool {
        guard number.fraction.count <= places else { return false }
        let padding = [UInt8](repeating: 0, count: places - number.fraction.count)
        return (number.whole + number.fraction + padding).reduce(0) { remainder($0, then: $1) } == 0
    }
}
