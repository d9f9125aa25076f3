// The tests: what may stand behind `is`.
extension Interpreter {
    /// Whether a test holds for a value.
    func test(_ name: String, _ value: Value, _ arguments: Arguments) throws(TemplateError) -> Bool {
        if let answer = kindTest(name, value) {
            guard arguments.isEmpty else { throw .runtime("the test '\(name)' takes no arguments") }
            return answer
        }
        switch name {
        case "odd", "even":
            let rest = try arithmetic(.modulo, value, .int(2))
            return Value.equal(rest, .int(name == "odd" ? 1 : 0))
        case "divisibleby":
            return Value.equal(try arithmetic(.modulo, value, try operand(of: name, arguments)), .int(0))
        case "lower", "upper":
            return PythonText.answers("is" + name, try printed(value)) ?? false
        case "in": return try contains(try operand(of: name, arguments), value)
        case "sameas":
            let other = try operand(of: name, arguments)
            try charge(value)
            return value.typeName == other.typeName && Value.equal(value, other)
        case "filter", "test":
            let known = name == "filter" ? Self.knownFilters : Self.knownTests
            return known.contains(try text(value, of: name))
        default:
            guard let operation = Self.comparisons[name] else { throw .runtime("no test named '\(name)'") }
            return try compare(value, operation, try operand(of: name, arguments))
        }
    }

    private func operand(of name: String, _ arguments: Arguments) throws(TemplateError) -> Value {
        guard arguments.positional.count == 1, arguments.named.isEmpty else {
            throw .runtime("the test '\(name)' takes one argument")
        }
        return arguments.positional[0]
    }

    private static let comparisons: [String: Operator] = [
        "eq": .equal, "equalto": .equal, "==": .equal, "ne": .notEqual, "!=": .notEqual, "gt": .greater,
        "greaterthan": .greater, ">": .greater, "ge": .greaterOrEqual, ">=": .greaterOrEqual, "lt": .less,
        "lessthan": .less, "<": .less, "le": .lessOrEqual, "<=": .lessOrEqual,
    ]

    private static let knownTests: Set<String> = [
        "odd", "even", "divisibleby", "defined", "undefined", "filter", "test", "none", "boolean", "false", "true",
        "integer", "float", "lower", "upper", "string", "mapping", "number", "sequence", "iterable", "callable",
        "sameas", "escaped", "in", "==", "eq", "equalto", "!=", "ne", ">", "gt", "greaterthan", "ge", ">=", "<", "lt",
        "lessthan", "<=", "le",
    ]

    private static let knownFilters: Set<String> = [
        "abs", "attr", "batch", "capitalize", "center", "count", "d", "default", "dictsort", "e", "escape", "first",
        "float", "forceescape", "format", "groupby", "indent", "int", "items", "join", "last", "length", "list",
        "lower", "map", "max", "min", "reject", "rejectattr", "replace", "reverse", "round", "safe", "select",
        "selectattr", "slice", "sort", "string", "striptags", "sum", "title", "tojson", "trim", "truncate", "unique",
        "upper", "urlencode", "wordcount",
    ]

    /// Tests for what a value is; nil for other tests.
    private func kindTest(_ name: String, _ value: Value) -> Bool? {
        switch name {
        case "defined": return !value.isUndefined
        case "undefined": return value.isUndefined
        case "none": if case .none = value { return true } else { return false }
        case "boolean": if case .bool = value { return true } else { return false }
        case "true": if case .bool(true) = value { return true } else { return false }
        case "false": if case .bool(false) = value { return true } else { return false }
        case "integer":
            switch value {
            case .int, .wide: return true
            default: return false
            }
        case "float": if case .float = value { return true } else { return false }
        case "number": return value.number != nil
        case "string": return value.text != nil
        case "mapping": if case .dict = value { return true } else { return false }
        case "escaped": return false
        case "sequence", "iterable", "callable": return shapeTest(name, value)
        default: return nil
        }
    }

    /// Python's undefined has all three shapes.
    private func shapeTest(_ name: String, _ value: Value) -> Bool {
        switch value {
        case .undefined: true
        case .string, .list, .tuple, .dict: name != "callable"
        case .iterable(let iterable): name == "iterable" || (name == "sequence" && iterable.kind == .range)
        case .loop(let loop): name == "iterable" || (name == "callable" && loop.recursion != nil)
        case .macro, .method, .function: name == "callable"
        default: false
        }
    }
}
