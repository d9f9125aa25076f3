/// The escapes of string literals, as Python's `unicode-escape` codec reads them.
enum StringLiteral {
    /// The text a literal stands for, given what is between its quotes.
    static func decode(_ source: ArraySlice<Unicode.Scalar>) throws(TemplateError) -> String {
        guard source.contains("\\") else { return String(source) }
        var text = String.UnicodeScalarView()
        var place = source.startIndex
        while place < source.endIndex {
            guard source[place] == "\\", place + 1 < source.endIndex else {
                text.append(source[place])
                place += 1
                continue
            }
            let escape = source[place + 1]
            place += 2
            switch escape {
            case "\n": break
            case "\\", "'", "\"": text.append(escape)
            case "a": text.append("\u{7}")
            case "b": text.append("\u{8}")
            case "f": text.append("\u{C}")
            case "n": text.append("\n")
            case "r": text.append("\r")
            case "t": text.append("\t")
            case "v": text.append("\u{B}")
            case "x": text.append(try hexadecimal(source, &place, digits: 2))
            case "u": text.append(try hexadecimal(source, &place, digits: 4))
            case "U": text.append(try hexadecimal(source, &place, digits: 8))
            case "N": throw TemplateError(.syntax, "characters by name (\\N) are not supported")
            case "0"..."7":
                var value: UInt32 = 0
                place -= 1
                let limit = min(place + 3, source.endIndex)
                while place < limit, ("0"..."7").contains(source[place]) {
                    value = value * 8 + source[place].value - 48
                    place += 1
                }
                text.append(Unicode.Scalar(value) ?? "\u{FFFD}")
            default:
                text.append("\\")
                text.append(escape)
            }
        }
        return String(text)
    }

    private static func hexadecimal(
        _ source: ArraySlice<Unicode.Scalar>, _ place: inout Int, digits: Int
    ) throws(TemplateError) -> Unicode.Scalar {
        var value: UInt64 = 0
        for offset in 0..<digits {
            guard place + offset < source.endIndex, source[place + offset].isASCII,
                let digit = Character(source[place + offset]).hexDigitValue
            else { throw TemplateError(.syntax, "an escape in a string needs \(digits) hexadecimal digits") }
            value = value * 16 + UInt64(digit)
        }
        place += digits
        guard let narrow = UInt32(exactly: value), let scalar = Unicode.Scalar(narrow) else {
            throw TemplateError(.syntax, "an escape in a string is no character")
        }
        return scalar
    }
}

extension String {
    /// The text of some scalars.
    init(_ scalars: some Sequence<Unicode.Scalar>) {
        var view = String.UnicodeScalarView()
        view.append(contentsOf: scalars)
        self.init(view)
    }
}
