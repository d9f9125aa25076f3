/// A list of Python calls with keyword arguments: `[add(a=1), ping()]`.
struct PythonCallList: Sendable {
    /// One call.
    struct Call: Sendable, Equatable {
        let name: String
        /// nil where an argument is not a value that JSON can say.
        let arguments: PythonDict?
    }

    private(set) var calls: [Call] = []
    /// Where the text goes on behind the list.
    private(set) var end: Int

    private let bytes: [UInt8]
    private let isLenient: Bool

    /// Reads the list that begins at a place; nil where none does.
    ///
    /// - Parameter isLenient: Whether names with points, words of JSON and tuples count too.
    init?(_ bytes: [UInt8], from place: Int = 0, isLenient: Bool = false) {
        self.bytes = bytes
        self.isLenient = isLenient
        end = place
        guard take("[") else { return nil }
        if isLenient { skipSpace() }
        repeat {
            if !calls.isEmpty { skipSpace() }
            guard let call = readCall() else { return nil }
            calls.append(call)
            skipSpace()
        } while take(",")
        guard take("]") else { return nil }
    }

    private var byte: UInt8? { end < bytes.count ? bytes[end] : nil }

    private mutating func take(_ character: Character) -> Bool {
        guard let byte, byte == character.asciiValue else { return false }
        end += 1
        return true
    }

    private mutating func skipSpace() {
        while let byte, JSONPrinter.isSpace(byte) { end += 1 }
    }

    private mutating func readName(allowsPoints: Bool = false) -> String? {
        let start = end
        guard let first = byte, 0x41...0x5A ~= first || 0x61...0x7A ~= first || (isLenient && first == 0x5F) else {
            return nil
        }
        while let byte, byte.isWordByte || (allowsPoints && byte == UInt8(ascii: ".")) { end += 1 }
        return String(decoding: bytes[start..<end], as: UTF8.self)
    }

    private mutating func readCall() -> Call? {
        guard let name = readName(allowsPoints: isLenient), take("(") else { return nil }
        var arguments: PythonDict? = PythonDict()
        skipSpace()
        while !take(")") {
            guard let key = readName() else { return nil }
            skipSpace()
            guard take("=") else { return nil }
            skipSpace()
            if let value = readValue() {
                arguments?[key] = value
            } else {
                guard skipExpression() else { return nil }
                arguments = nil
            }
            skipSpace()
            if !take(",") {
                guard take(")") else { return nil }
                break
            }
            skipSpace()
        }
        return Call(name: name, arguments: arguments)
    }

    /// A literal up to the end of its argument.
    private mutating func readValue() -> PythonValue? {
        var literal = PythonLiteral(bytes, from: end, .init(hasTuples: isLenient, hasJSONWords: isLenient))
        guard let value = literal.read(), value.isFinite else { return nil }
        literal.skipSpace()
        guard literal.place < bytes.count, bytes[literal.place] == 0x2C || bytes[literal.place] == 0x29 else {
            return nil
        }
        end = literal.place
        return value
    }

    /// Goes over anything up to the end of its argument.
    private mutating func skipExpression() -> Bool {
        var open: [UInt8] = []
        while let byte {
            if let text = PythonQuotedText(bytes, at: end),
                end == 0 || !bytes[end - 1].isWordByte || byte == 0x22 || byte == 0x27
            {
                end = text.end
                continue
            }
            switch byte {
            case UInt8(ascii: "("), UInt8(ascii: "["), UInt8(ascii: "{"): open.append(byte)
            case UInt8(ascii: ")") where open.isEmpty, UInt8(ascii: ",") where open.isEmpty: return true
            case UInt8(ascii: ")"), UInt8(ascii: "]"), UInt8(ascii: "}"):
                if open.popLast() == nil { return false }
            default: break
            }
            end += 1
        }
        return false
    }
}

extension PythonValue {
    /// Whether no number in it is beyond what JSON can say.
    fileprivate var isFinite: Bool {
        switch self {
        case .float(let number): number.isFinite
        case .list(let elements): elements.allSatisfy(\.isFinite)
        case .dict(let dict): dict.members.allSatisfy(\.value.isFinite)
        default: true
        }
    }
}
