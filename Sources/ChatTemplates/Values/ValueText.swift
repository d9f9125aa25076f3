// How values are written: Python's `str` and `repr`.
extension Value {
    /// What `{{ value }}` writes.
    var printed: String {
        switch self {
        case .undefined: ""
        case .string(let text), .markup(let text): text
        case .iterable(let iterable) where iterable.kind == .generator: "<generator object>"
        default: represented
        }
    }

    /// Python's `repr`.
    var represented: String {
        var text = ""
        write(to: &text)
        return text
    }

    private func write(to text: inout String) {
        switch self {
        case .undefined: text += "Undefined"
        case .none: text += "None"
        case .bool(let value): text += value ? "True" : "False"
        case .int(let value): text += String(value)
        case .wide(let value): text += String(value)
        case .float(let value): text += PythonNumber.text(of: value)
        case .string(let value): PythonText.quote(value, to: &text)
        case .markup(let value):
            text += "Markup("
            PythonText.quote(value, to: &text)
            text += ")"
        case .list(let list): Value.write(list.elements, "[", "]", to: &text)
        case .tuple(let list): Value.write(list.elements, "(", list.count == 1 ? ",)" : ")", to: &text)
        case .dict(let dict): dict.write(to: &text)
        case .iterable(let iterable): iterable.write(to: &text)
        case .namespace: text += "<Namespace>"
        case .macro(let macro): text += "<Macro '\(macro.definition.label)'>"
        case .loop(let loop): text += "<LoopContext \(loop.index + 1)/\(loop.length)>"
        case .method(let method): text += "<built-in method \(method.name) of \(method.receiver.typeName) object>"
        case .function(let function): text += "<function \(function.rawValue)>"
        }
    }

    fileprivate static func write(_ elements: [Value], _ open: String, _ close: String, to text: inout String) {
        text += open
        for (place, element) in elements.enumerated() {
            if place > 0 { text += ", " }
            element.write(to: &text)
        }
        text += close
    }
}

extension Dict {
    fileprivate func write(to text: inout String) {
        text += "{"
        for (place, key) in keys.enumerated() {
            text += place > 0 ? ", " : ""
            text += key.represented
            text += ": "
            text += values[place].represented
        }
        text += "}"
    }
}

extension Iterable {
    fileprivate func write(to text: inout String) {
        switch kind {
        case .generator: text += "<generator object>"
        case .range:
            let numbers = list.elements.compactMap(\.integer)
            let step = numbers.count > 1 ? numbers[1] - numbers[0] : 1
            text += "range(\(numbers.first ?? 0), \(numbers.last.map { $0 + step } ?? 0)"
            text += step == 1 ? ")" : ", \(step))"
        case .keys, .values, .items: Value.write(list.elements, "\(kind.rawValue)([", "])", to: &text)
        }
    }
}

extension PythonText {
    /// Python's `repr` of a text.
    static func quote(_ value: String, to text: inout String) {
        let quote: Unicode.Scalar = value.utf8.contains(39) && !value.utf8.contains(34) ? "\"" : "'"
        text.unicodeScalars.append(quote)
        for scalar in value.unicodeScalars {
            switch scalar {
            case "\\": text += "\\\\"
            case "\n": text += "\\n"
            case "\r": text += "\\r"
            case "\t": text += "\\t"
            case quote:
                text += "\\"
                text.unicodeScalars.append(quote)
            default:
                if isPrintable(scalar) {
                    text.unicodeScalars.append(scalar)
                } else {
                    let digits = String(scalar.value, radix: 16)
                    let (mark, width) = scalar.value < 0x100 ? ("x", 2) : scalar.value < 0x10000 ? ("u", 4) : ("U", 8)
                    text += "\\" + mark + String(repeating: "0", count: width - digits.utf8.count) + digits
                }
            }
        }
        text.unicodeScalars.append(quote)
    }

    private static func isPrintable(_ scalar: Unicode.Scalar) -> Bool {
        if scalar.isASCII { return (0x20..<0x7F).contains(scalar.value) }
        switch scalar.properties.generalCategory {
        case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator, .paragraphSeparator,
            .spaceSeparator:
            return false
        default: return true
        }
    }
}
