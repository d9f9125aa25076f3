internal import JSON
internal import Values

/// The value of one launch argument in the few shapes that Python knows them.
package enum ArgumentValue: Sendable, Equatable {
    /// `None`.
    case null
    /// `True` or `False`.
    case bool(Bool)
    /// An `int`.
    case integer(Int)
    /// A `float`.
    case number(Double)
    /// A `str`.
    case text(String)
    /// A `list`.
    case list([ArgumentValue])

    /// The value as Python's `repr` writes it, for the `server_args=` line that tools grep.
    package var pythonRepr: String {
        switch self {
        case .null: "None"
        case .bool(let value): value ? "True" : "False"
        case .integer(let value): String(value)
        case .number(let value): Self.pythonRepr(value)
        case .text(let value): Self.pythonRepr(value)
        case .list(let values): "[" + values.map(\.pythonRepr).joined(separator: ", ") + "]"
        }
    }

    /// Reads back what `pythonRepr` writes for a scalar or an empty list; nil for anything else.
    init?(pythonRepr text: some StringProtocol) {
        switch text {
        case "None": self = .null
        case "True": self = .bool(true)
        case "False": self = .bool(false)
        case "[]": self = .list([])
        default:
            if text.count >= 2, text.hasPrefix("'"), text.hasSuffix("'") {
                self = .text(String(text.dropFirst().dropLast()))
            } else if let value = Int(text) {
                self = .integer(value)
            } else if let value = Double(text) {
                self = .number(value)
            } else {
                return nil
            }
        }
    }

    private static func pythonRepr(_ value: Double) -> String {
        if value.isNaN { return "nan" }
        if value.isInfinite { return value < 0 ? "-inf" : "inf" }
        return value.description
    }

    /// Single quotes unless only double ones avoid an escape, as Python chooses them.
    private static func pythonRepr(_ value: String) -> String {
        let quote: Unicode.Scalar = value.contains("'") && !value.contains("\"") ? "\"" : "'"
        var result = String(quote)
        for scalar in value.unicodeScalars {
            switch scalar {
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\r": result += "\\r"
            case "\t": result += "\\t"
            case quote: result += "\\" + String(quote)
            case _ where scalar.value < 0x20 || (0x7F..<0xA1).contains(scalar.value):
                let digits = String(scalar.value, radix: 16)
                result += "\\x" + (digits.count < 2 ? "0" : "") + digits
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + String(quote)
    }
}

/// A type of a settings field that a launch argument can fill.
protocol ArgumentConvertible: SendableMetatype {
    /// The field's value for an argument; nil where the argument has another shape.
    init?(argument: ArgumentValue)
    /// The argument that gives this value.
    var argument: ArgumentValue { get }
}

extension Bool: ArgumentConvertible {
    init?(argument: ArgumentValue) {
        guard case .bool(let value) = argument else { return nil }
        self = value
    }
    var argument: ArgumentValue { .bool(self) }
}

extension Int: ArgumentConvertible {
    init?(argument: ArgumentValue) {
        guard case .integer(let value) = argument else { return nil }
        self = value
    }
    var argument: ArgumentValue { .integer(self) }
}

extension Double: ArgumentConvertible {
    init?(argument: ArgumentValue) {
        switch argument {
        case .number(let value): self = value
        case .integer(let value): self = Double(value)
        default: return nil
        }
    }
    var argument: ArgumentValue { .number(self) }
}

extension String: ArgumentConvertible {
    init?(argument: ArgumentValue) {
        guard case .text(let value) = argument else { return nil }
        self = value
    }
    var argument: ArgumentValue { .text(self) }
}

extension Optional: ArgumentConvertible where Wrapped: ArgumentConvertible {
    init?(argument: ArgumentValue) {
        if argument == .null {
            self = .none
        } else if let value = Wrapped(argument: argument) {
            self = .some(value)
        } else {
            return nil
        }
    }
    var argument: ArgumentValue { self?.argument ?? .null }
}

extension ArgumentConvertible where Self: RawRepresentable<String> {
    init?(argument: ArgumentValue) {
        guard case .text(let word) = argument, let value = Self(rawValue: word) else { return nil }
        self = value
    }
    var argument: ArgumentValue { .text(rawValue) }
}

extension LoadFormat: ArgumentConvertible {}
extension ServerSettings.SamplingDefaults: ArgumentConvertible {}
extension ServerSettings.ExpertRecorderMode: ArgumentConvertible {}
extension SchedulePolicy: ArgumentConvertible {}
extension LogLevel: ArgumentConvertible {}
extension QuantizationMethod: ArgumentConvertible {}

extension HiddenStateChoice: ArgumentConvertible {}
extension PoolerType: ArgumentConvertible {}
extension PoolingRule: ArgumentConvertible {}
extension ServerSettings.RetractionPolicy: ArgumentConvertible {}
extension ServerSettings.GrammarBackend: ArgumentConvertible {}
extension KernelISA: ArgumentConvertible {}
extension ServerSettings.ChildFailurePolicy: ArgumentConvertible {}
extension RequestLogChoices.Format: ArgumentConvertible {}

extension [String]: ArgumentConvertible {
    init?(argument: ArgumentValue) {
        guard let words = argument.words else { return nil }
        self = words
    }
    var argument: ArgumentValue { .list(map(ArgumentValue.text)) }
}

extension KVCacheDType: ArgumentConvertible {
    /// Takes SGLang's short name of bfloat16 too.
    init?(argument: ArgumentValue) {
        guard case .text(let word) = argument, let value = Self(word: word) else {
            return nil
        }
        self = value
    }
}

extension BucketBounds: ArgumentConvertible {
    init?(argument: ArgumentValue) {
        guard let words = argument.words else { return nil }
        self.init(words)
    }
    var argument: ArgumentValue { .list(bounds.map(ArgumentValue.number)) }
}

extension BucketRule: ArgumentConvertible {
    init?(argument: ArgumentValue) {
        guard let words = argument.words else { return nil }
        self.init(words)
    }
    var argument: ArgumentValue { .list(words.map(ArgumentValue.text)) }
}

extension MetricLabels: ArgumentConvertible {
    init?(argument: ArgumentValue) {
        guard case .text(let text) = argument, let object = try? JSON.parse(text).objectValue else { return nil }
        var pairs: [Pair] = []
        for (name, value) in object.sorted(by: { $0.0 < $1.0 }) {
            guard let value = value.stringValue, name.isLabelName else { return nil }
            pairs.append(Pair(name: name, value: value))
        }
        self.text = text
        self.pairs = pairs
    }
    var argument: ArgumentValue { .text(text) }
}

extension ArgumentValue {
    /// The texts of a list of texts.
    fileprivate var words: [String]? {
        guard case .list(let values) = self else { return nil }
        let words = values.compactMap { if case .text(let word) = $0 { word } else { nil } }
        return words.count == values.count ? words : nil
    }
}

extension String {
    /// Prometheus allows it as the name of a label.
    fileprivate var isLabelName: Bool {
        guard let first = utf8.first, !(UInt8(ascii: "0")...UInt8(ascii: "9")).contains(first) else { return false }
        return utf8.allSatisfy { byte in
            byte == UInt8(ascii: "_") || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
                || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
        }
    }
}

extension CoreGroups: ArgumentConvertible {
    init?(argument: ArgumentValue) {
        guard case .text(let text) = argument else { return nil }
        self.init(text)
    }
    var argument: ArgumentValue { .text(text) }
}

extension ModelDType: ArgumentConvertible {
    /// Takes SGLang's two other names of the same types too.
    init?(argument: ArgumentValue) {
        guard case .text(let word) = argument, let value = Self(word: word) else { return nil }
        self = value
    }
}
