/// How one value is written into a field: fill, sign, width, precision and type.
struct FormatSpecification {
    private var fill: Unicode.Scalar = " "
    private var alignment: Unicode.Scalar?
    private var sign: Unicode.Scalar = "-"
    private var isAlternate = false
    private var groups = false
    private(set) var width = 0
    private var precision: Int?
    var type: Unicode.Scalar?

    private static let widest = 10_000

    /// What stands behind the colon of `{:…}`.
    init(_ text: String) throws(TemplateError) {
        let scalars = Array(text.unicodeScalars)
        var place = 0
        if scalars.count > 1, "<>=^".unicodeScalars.contains(scalars[1]) {
            (fill, alignment, place) = (scalars[0], scalars[1], 2)
        } else if let first = scalars.first, "<>=^".unicodeScalars.contains(first) {
            (alignment, place) = (first, 1)
        }
        let takes = { (set: String) in place < scalars.count && set.unicodeScalars.contains(scalars[place]) }
        if takes("+- ") {
            sign = scalars[place]
            place += 1
        }
        if takes("#") { (isAlternate, place) = (true, place + 1) }
        if takes("0") {
            if alignment == nil { (fill, alignment) = ("0", "=") }
            place += 1
        }
        width = Self.number(scalars, &place) ?? 0
        if takes(",") { (groups, place) = (true, place + 1) }
        if takes(".") {
            place += 1
            precision = Self.number(scalars, &place)
        }
        if place < scalars.count {
            type = scalars[place]
            place += 1
        }
        guard place == scalars.count, width <= Self.widest, (precision ?? 0) <= 100 else {
            throw .runtime("invalid format specifier '\(text.prefix(40))'")
        }
    }

    /// The flags, width and precision of a `%` conversion.
    init(percent scalars: [Unicode.Scalar], _ place: inout Int) {
        alignment = ">"
        while place < scalars.count, "#0- +".unicodeScalars.contains(scalars[place]) {
            switch scalars[place] {
            case "#": isAlternate = true
            case "0": if alignment != "<" { (fill, alignment) = ("0", "=") }
            case "-": (fill, alignment) = (" ", "<")
            default: sign = scalars[place]
            }
            place += 1
        }
        width = min(Self.number(scalars, &place) ?? 0, Self.widest)
        if place < scalars.count, scalars[place] == "." {
            place += 1
            precision = min(Self.number(scalars, &place) ?? 0, 100)
        }
    }

    private static func number(_ scalars: [Unicode.Scalar], _ place: inout Int) -> Int? {
        var number: Int?
        while place < scalars.count, (48...57).contains(scalars[place].value) {
            number = min((number ?? 0) * 10 + Int(scalars[place].value) - 48, 1_000_000)
            place += 1
        }
        return number
    }

    /// Whether nothing asks for a number.
    var isPlain: Bool { type == nil || type == "s" }

    /// A text cut to the precision and filled to the width.
    func padded(truncating text: String) throws(TemplateError) -> String {
        if let type, type != "s", type != "r" {
            throw .runtime("unknown format code '\(type)' for object of type 'str'")
        }
        let text = precision.map { String(text.unicodeScalars.prefix($0)) } ?? text
        return filled(sign: "", text, alignment ?? "<")
    }

    /// A number.
    func text(of value: Value) throws(TemplateError) -> String {
        if let whole = value.integer, type.map({ "dxXobn".unicodeScalars.contains($0) }) ?? true {
            return number(isNegative: whole < 0, digits(of: whole.magnitude))
        }
        guard case .some(let number) = value.number else { throw .runtime("a number is required") }
        let magnitude = number.magnitude
        let isNegative = number.sign == .minus && !number.isNaN
        switch type {
        case nil where precision == nil: return self.number(isNegative: isNegative, PythonNumber.text(of: magnitude))
        case "f", "F": return self.number(isNegative: isNegative, print(magnitude, "f"))
        case "e": return self.number(isNegative: isNegative, print(magnitude, "e"))
        case "E": return self.number(isNegative: isNegative, print(magnitude, "E"))
        case "g", nil: return self.number(isNegative: isNegative, print(magnitude, "g"))
        case "G": return self.number(isNegative: isNegative, print(magnitude, "G"))
        case "%":
            return self.number(isNegative: isNegative, print(magnitude * 100, "f") + "%")
        default: throw .runtime("unknown format code '\(type ?? "?")' for object of type '\(value.typeName)'")
        }
    }

    private func digits(of magnitude: UInt) -> String {
        let mark = { (prefix: String) in isAlternate ? prefix : "" }
        return switch type {
        case "x": mark("0x") + String(magnitude, radix: 16)
        case "X": mark("0X") + String(magnitude, radix: 16, uppercase: true)
        case "o": mark("0o") + String(magnitude, radix: 8)
        case "b": mark("0b") + String(magnitude, radix: 2)
        default: String(magnitude)
        }
    }

    private func print(_ magnitude: Double, _ conversion: String) -> String {
        PythonNumber.print(magnitude, precision: precision ?? 6, conversion: conversion)
    }

    private func number(isNegative: Bool, _ digits: String) -> String {
        let mark = isNegative ? "-" : sign == "-" ? "" : String(sign)
        return filled(sign: mark, groups ? grouped(digits) : digits, alignment ?? ">")
    }

    /// Digits in threes.
    private func grouped(_ digits: String) -> String {
        let whole = digits.prefix { $0.isNumber }
        var result = ""
        for (place, digit) in whole.enumerated() {
            if place > 0, (whole.count - place) % 3 == 0 { result += "," }
            result.append(digit)
        }
        return result + digits.dropFirst(whole.count)
    }

    private func filled(sign: String, _ text: String, _ alignment: Unicode.Scalar) -> String {
        let missing = max(0, width - PythonText.length(text) - sign.utf8.count)
        let pad = { (count: Int) in String(repeating: String(fill), count: count) }
        return switch alignment {
        case "<": sign + text + pad(missing)
        case "=": sign + pad(missing) + text
        case "^": pad(missing / 2) + sign + text + pad(missing - missing / 2)
        default: pad(missing) + sign + text
        }
    }
}
