// `tojson` as transformers has it: Python's `json.dumps` with its options.
extension Interpreter {
    func json(_ value: Value, _ arguments: Arguments) throws(TemplateError) -> Value {
        let bound = try arguments.bound(to: ["ensure_ascii", "indent", "separators", "sort_keys"], of: "tojson")
        try charge(value)
        var writer = PythonJSON(isASCII: bound[0]?.isTrue ?? false, sortsKeys: bound[3]?.isTrue ?? false)
        switch bound[1] {
        case nil, Value.none?: break
        case .string(let text)?: writer.indent = text
        case let width?:
            guard let count = width.integer, count <= 1_000 else {
                throw .runtime("tojson needs an indent it can write")
            }
            writer.indent = String(repeating: " ", count: max(0, count))
        }
        if let separators = bound[2], separators.typeName != "NoneType" {
            let parts = try elements(of: separators)
            guard parts.count == 2 else { throw .runtime("tojson needs two separators") }
            writer.itemSeparator = try text(parts[0], of: "tojson")
            writer.keySeparator = try text(parts[1], of: "tojson")
        } else if writer.indent != nil {
            writer.itemSeparator = ","
        }
        let separators = writer.itemSeparator.utf8.count + writer.keySeparator.utf8.count
        let line = (writer.indent?.utf8.count ?? 0) * value.extent.depth
        let (bytes, overflow) = value.extent.weight.multipliedReportingOverflow(by: separators + line)
        try checkLength(overflow ? .max : bytes)
        try writer.write(value, level: 0)
        return try made(writer.text)
    }
}

/// Writes JSON as Python's `json.dumps` does.
private struct PythonJSON {
    let isASCII: Bool
    let sortsKeys: Bool
    var indent: String?
    var itemSeparator = ", "
    var keySeparator = ": "
    var text = ""

    init(isASCII: Bool, sortsKeys: Bool) {
        self.isASCII = isASCII
        self.sortsKeys = sortsKeys
    }

    mutating func write(_ value: Value, level: Int) throws(TemplateError) {
        switch value {
        case .none: text += "null"
        case .bool(let flag): text += flag ? "true" : "false"
        case .int(let number): text += String(number)
        case .wide(let number): text += String(number)
        case .float(let number): text += Self.text(of: number)
        case .string(let string), .markup(let string): quote(string)
        case .list(let list), .tuple(let list):
            try writeAll(list.elements, "[", "]", level) { (writer, element) throws(TemplateError) in
                try writer.write(element, level: level + 1)
            }
        case .dict(let dict):
            var members = Array(zip(dict.keys, dict.values))
            if sortsKeys { members = try Value.sorted(members) { $0.0 } }
            try writeAll(members, "{", "}", level) { (writer, member) throws(TemplateError) in
                writer.quote(try Self.key(member.0))
                writer.text += writer.keySeparator
                try writer.write(member.1, level: level + 1)
            }
        default: throw .runtime("object of type \(value.typeName) is not JSON serializable")
        }
    }

    private mutating func writeAll<Element>(
        _ elements: [Element], _ open: String, _ close: String, _ level: Int,
        each: (inout PythonJSON, Element) throws(TemplateError) -> Void
    ) throws(TemplateError) {
        text += open
        for (place, element) in elements.enumerated() {
            if place > 0 { text += itemSeparator }
            newline(level + 1)
            try each(&self, element)
        }
        if !elements.isEmpty { newline(level) }
        text += close
    }

    private mutating func newline(_ level: Int) {
        guard let indent else { return }
        text += "\n"
        for _ in 0..<level { text += indent }
    }

    private static func text(of number: Double) -> String {
        if number.isNaN { return "NaN" }
        if number.isInfinite { return number < 0 ? "-Infinity" : "Infinity" }
        return PythonNumber.text(of: number)
    }

    private static func key(_ key: Value) throws(TemplateError) -> String {
        switch key {
        case .string(let text), .markup(let text): text
        case .none: "null"
        case .bool(let flag): flag ? "true" : "false"
        case .int(let number): String(number)
        case .wide(let number): String(number)
        case .float(let number): text(of: number)
        default: throw .runtime("keys must be str, int, float, bool or None, not \(key.typeName)")
        }
    }

    private mutating func quote(_ string: String) {
        text += "\""
        for scalar in string.unicodeScalars {
            switch scalar {
            case "\"": text += "\\\""
            case "\\": text += "\\\\"
            case "\n": text += "\\n"
            case "\r": text += "\\r"
            case "\t": text += "\\t"
            case "\u{8}": text += "\\b"
            case "\u{C}": text += "\\f"
            default:
                if scalar.value < 0x20 || (isASCII && scalar.value > 0x7E) {
                    for unit in UTF16.encode(scalar).map({ Array($0) }) ?? [] {
                        let digits = String(unit, radix: 16)
                        text += "\\u" + String(repeating: "0", count: 4 - digits.utf8.count) + digits
                    }
                } else {
                    text.unicodeScalars.append(scalar)
                }
            }
        }
        text += "\""
    }
}
