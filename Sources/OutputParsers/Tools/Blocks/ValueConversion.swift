internal import JSON

/// How the text of an argument becomes the value that its schema asks for, family by family.
enum ValueConversion {
    /// Qwen3-Coder: by the first type that the schema suggests.
    static func coder(_ text: String, _ type: String) -> PythonValue {
        if text.lowercased() == "null" { return .none }
        let type = type.lowercased().stripped
        switch type {
        case "string", "str", "text", "varchar", "char", "enum": return .string(text)
        case "boolean", "bool", "binary": return .bool(text.lowercased() == "true")
        case _ where begins(type, ["int", "uint", "long", "short", "unsigned"]):
            return PythonNumber.integer(text) ?? .string(text)
        case _ where begins(type, ["num", "float"]): return number(text) ?? .string(text)
        case _ where ["object", "array", "arr"].contains(type) || begins(type, ["dict", "list"]):
            return JSONReader.value(of: text) ?? PythonLiteral.value(of: text) ?? .string(text)
        default: return PythonLiteral.value(of: text) ?? .string(text)
        }
    }

    /// MiMo: the same, but a whole number is an integer however it was written.
    static func mimo(_ text: String, _ type: String) -> PythonValue {
        guard begins(type, ["num", "float"]), text.lowercased() != "null" else { return coder(text, type) }
        return PythonNumber.float(text).map { whole($0) ?? .float($0) } ?? .string(text)
    }

    private static func begins(_ type: String, _ prefixes: [String]) -> Bool {
        prefixes.contains { type.utf8.starts(with: $0.utf8) }
    }

    /// A number, which is an integer where it is whole and was written without a point and an exponent.
    private static func number(_ text: String) -> PythonValue? {
        guard let number = PythonNumber.float(text) else { return nil }
        if text.holds(".") || text.lowercased().holds("e") { return .float(number) }
        return whole(number) ?? .float(number)
    }

    /// A whole number as an integer; nil for others and for those beyond 64 bits.
    static func whole(_ number: Double) -> PythonValue? {
        Int64(exactly: number).map { .integer(String($0)) }
    }

    /// JSON, else a Python literal, else text.
    static func jsonOrLiteral(_ text: String) -> PythonValue {
        JSONReader.value(of: text) ?? PythonLiteral.value(of: text) ?? .string(text)
    }

    /// GLM: JSON, also with its quotes escaped, else a Python literal, else text; an argument of type string stays text.
    static func glm(_ text: String, _ type: String?) -> PythonValue {
        let parsed = parsed(text, type)
        guard type == "string" else { return parsed }
        switch parsed {
        case .string: return parsed
        case .list, .dict: return .string(parsed.json)
        case .none: return .string("None")
        case .bool(let flag): return .string(flag ? "True" : "False")
        case .integer(let digits): return .string(digits)
        case .float(let number):
            let text = PythonJSON.text(of: number)
            return .string(["NaN": "nan", "Infinity": "inf", "-Infinity": "-inf"][text] ?? text)
        }
    }

    private static func parsed(_ text: String, _ type: String?) -> PythonValue {
        if let value = JSONReader.value(of: text) ?? unescaped(text) { return coerced(value, type) }
        if type == "string" {
            let bytes = Array(text.utf8)
            guard bytes.count >= 2, let first = bytes.first, first == bytes.last, first == 0x22 || first == 0x27
            else { return .string(text) }
            return .string(String(decoding: bytes[1..<bytes.count - 1], as: UTF8.self))
        }
        return PythonLiteral.value(of: text) ?? .string(text)
    }

    /// JSON inside of a JSON text that lost its quotes.
    private static func unescaped(_ text: String) -> PythonValue? {
        guard case .string(let inner)? = JSONReader.value(of: "\"" + text + "\"") else { return nil }
        return JSONReader.value(of: inner)
    }

    private static func coerced(_ value: PythonValue, _ type: String?) -> PythonValue {
        guard case .string(let text) = value, type == "number" else { return value }
        if text.holds(".") || text.lowercased().holds("e") {
            return PythonNumber.float(text).map(PythonValue.float) ?? value
        }
        return PythonNumber.integer(text) ?? value
    }

    /// GLM 4.7: the same, with integers told from numbers; an argument of type string keeps its text unless that is a JSON text.
    static func glm47(_ text: String, _ type: String?) -> PythonValue {
        let parsed = parsed(text, type ?? "string")
        if type == "integer", case .string(let digits) = parsed { return PythonNumber.integer(digits) ?? parsed }
        guard type == "string" else { return parsed }
        if case .string = parsed { return parsed }
        return .string(text)
    }

    /// MiniMax: by the first of all the schema's types that the text fits, from integer down to text.
    static func minimax(_ text: String, _ types: Set<String>) -> PythonValue {
        let types = Set(types.map { $0.lowercased() })
        if types.contains("null") || ["null", "none", "nil"].contains(text.lowercased()) { return .none }
        let order = [
            "integer", "int", "number", "float", "boolean", "bool", "object", "array", "string", "str", "text",
        ]
        for type in order where types.contains(type) {
            if let value = minimax(text, as: type) { return value }
        }
        return JSONReader.value(of: text) ?? .string(text)
    }

    private static func minimax(_ text: String, as type: String) -> PythonValue? {
        switch type {
        case "integer", "int": return PythonNumber.integer(text)
        case "number", "float":
            guard let number = PythonNumber.float(text), number.isFinite else { return nil }
            return whole(number) ?? .float(number)
        case "boolean", "bool":
            switch text.lowercased().stripped {
            case "true", "1", "yes", "on": return .bool(true)
            case "false", "0", "no", "off": return .bool(false)
            default: return nil
            }
        case "object", "array": return JSONReader.value(of: text)
        default: return .string(text)
        }
    }

    /// Hunyuan: truth value, integer, number, JSON or text, as far as the schema has them.
    static func hunyuan(_ text: String, _ types: Set<String>) -> PythonValue {
        let lower = text.lowercased()
        if types.contains("boolean"), lower == "true" || lower == "false" { return .bool(lower == "true") }
        if types.contains("integer"), let value = PythonNumber.integer(text) { return value }
        if types.contains("number") {
            if text.holds(".") || lower.holds("e") {
                if let number = PythonNumber.float(text) { return .float(number) }
            } else if let value = PythonNumber.integer(text) {
                return value
            }
        }
        if !types.subtracting(["string", "boolean", "integer", "number"]).isEmpty,
            let value = JSONReader.value(of: text)
        {
            return value
        }
        return types.contains("string") ? .string(text) : JSONReader.value(of: text) ?? .string(text)
    }

    /// Dots: by the first type that is not null.
    static func dots(_ text: String, _ type: String) -> PythonValue {
        if text.lowercased() == "null" { return .none }
        switch type.lowercased() {
        case "string", "str", "text": return .string(text)
        case "integer", "int": return PythonNumber.integer(text) ?? .string(text)
        case "number", "float":
            return PythonNumber.float(text).map { whole($0) ?? .float($0) } ?? .string(text)
        case "boolean", "bool": return .bool(["true", "1"].contains(text.lowercased()))
        default: return JSONReader.value(of: text) ?? .string(text)
        }
    }
}
