// The filters: which function each name is. Those of sequences are in SequenceFilters.swift, those that choose elements
// in ChoosingFilters.swift.
extension Interpreter {
    /// Applies a filter to a value.
    func filter(_ name: String, _ value: Value, _ arguments: Arguments) throws(TemplateError) -> Value {
        if let result = try textFilter(name, value, arguments) { return result }
        if let result = try numberFilter(name, value, arguments) { return result }
        if let result = try sequenceFilter(name, value, arguments) { return result }
        if let result = try choosingFilter(name, value, arguments) { return result }
        switch name {
        case "default", "d":
            let bound = try arguments.bound(to: ["default_value", "boolean"], of: name)
            let isMissing = value.isUndefined || (bound[1]?.isTrue == true && !value.isTrue)
            return isMissing ? bound[0] ?? .emptyString : value
        case "tojson": return try json(value, arguments)
        case "attr":
            let attribute = try text(arguments.bound(to: ["name"], of: name, required: 1)[0], of: name)
            if case .dict = value, !MethodNames.has(attribute, value) {
                return .undefined("'dict object' has no attribute '\(attribute)'")
            }
            return try self.attribute(attribute, of: value)
        case "random": throw .runtime("the filter 'random' is not supported: a prompt must not depend on chance")
        default: throw .runtime("no filter named '\(name)'")
        }
    }

    // MARK: Texts

    /// Filters that take any value as a text.
    private func textFilter(
        _ name: String, _ value: Value, _ arguments: Arguments
    ) throws(TemplateError) -> Value? {
        switch name {
        case "trim":
            let set = try arguments.bound(to: ["chars"], of: name)[0]
            let characters: String? =
                if let set, set.typeName != "NoneType" { try text(set, of: name) } else { nil }
            return try made(PythonText.strip(try printed(value), characters))
        case "upper", "lower", "capitalize", "title", "string", "safe", "escape", "e", "forceescape", "wordcount",
            "striptags", "urlencode":
            _ = try arguments.bound(to: [], of: name)
            let text = try printed(value)
            try charge(text.utf8.count / 16)
            if name == "wordcount" { return .int(PythonText.wordCount(text)) }
            let result = plainTextFilter(name, text)
            try checkLength(result.utf8.count)
            return ["safe", "escape", "e", "forceescape"].contains(name) ? .markup(result) : .string(result)
        case "replace":
            var arguments = arguments
            for place in arguments.positional.indices.prefix(2) {
                arguments.positional[place] = .string(try printed(arguments.positional[place]))
            }
            return try replace(try printed(value), arguments)
        case "indent": return try indent(try printed(value), arguments)
        case "center":
            let width = try arguments.bound(to: ["width"], of: name)[0] ?? .int(80)
            return try textMethod("center", of: try printed(value), Arguments(positional: [width]))
        case "format":
            let format = try printed(value)
            if !arguments.named.isEmpty {
                let members = arguments.named.map { (Value.string($0.name), $0.value) }
                return try made(try formatted(format, with: .dict(try Dict(members))))
            }
            return try made(try formatted(format, with: .tuple(try List(arguments.positional))))
        case "truncate": return try truncate(try printed(value), arguments)
        default: return nil
        }
    }

    private func plainTextFilter(_ name: String, _ text: String) -> String {
        switch name {
        case "upper": PythonText.upper(text)
        case "lower": PythonText.lower(text)
        case "capitalize": PythonText.capitalize(text)
        case "title": PythonText.titleOfWords(text)
        case "escape", "e", "forceescape": PythonText.escaped(text)
        case "striptags": PythonText.withoutTags(text)
        case "urlencode": PythonText.percentEncoded(text)
        default: text
        }
    }

    private func indent(_ text: String, _ arguments: Arguments) throws(TemplateError) -> Value {
        let bound = try arguments.bound(to: ["width", "first", "blank"], of: "indent")
        let indention: String
        switch bound[0] {
        case .string(let text)?: indention = text
        case let width?:
            guard let count = width.integer else { throw .runtime("indent needs a width or a text") }
            try checkLength(max(0, count))
            indention = String(repeating: " ", count: max(0, count))
        case nil: indention = "    "
        }
        let lines = PythonText.lines(of: text + "\n", keepsEnds: false)
        let (bytes, overflow) = lines.count.multipliedReportingOverflow(by: indention.utf8.count)
        try checkLength(overflow ? .max : bytes)
        let indentsBlank = bound[2]?.isTrue ?? false
        var result = bound[1]?.isTrue == true ? indention : ""
        for (place, line) in lines.enumerated() {
            if place > 0 {
                result += "\n"
                if indentsBlank || !line.isEmpty { result += indention }
            }
            result += line
        }
        return try made(result)
    }

    private func truncate(_ text: String, _ arguments: Arguments) throws(TemplateError) -> Value {
        let bound = try arguments.bound(to: ["length", "killwords", "end", "leeway"], of: "truncate")
        let end = try bound[2].map { (end) throws(TemplateError) in try self.text(end, of: "truncate") } ?? "..."
        guard let length = (bound[0] ?? .int(255)).integer, let leeway = (bound[3] ?? .int(5)).integer,
            length >= PythonText.length(end), leeway >= 0
        else { throw .runtime("truncate needs a length that holds its end, and a leeway from 0") }
        let scalars = Array(text.unicodeScalars)
        if scalars.count - leeway <= length { return .string(text) }
        let kept = String(scalars.prefix(length - PythonText.length(end)))
        if bound[1]?.isTrue == true { return try made(kept + end) }
        let words = PythonText.split(kept, " ", limit: 1, fromRight: true)
        return try made(words[0] + end)
    }

    // MARK: Numbers

    private func numberFilter(
        _ name: String, _ value: Value, _ arguments: Arguments
    ) throws(TemplateError) -> Value? {
        switch name {
        case "abs":
            if case .undefined(let reason) = value { throw .runtime(reason) }
            guard let number = value.number else { throw .runtime("bad operand type for abs(): '\(value.typeName)'") }
            if let whole = value.integer { return whole < 0 ? try Arithmetic.negative(value) : .int(whole) }
            return .float(number.magnitude)
        case "int":
            let bound = try arguments.bound(to: ["default", "base"], of: name)
            return try PythonNumber.integer(from: value, base: bound[1]?.integer ?? 10) ?? bound[0] ?? .int(0)
        case "float":
            let preset = try arguments.bound(to: ["default"], of: name)[0] ?? .float(0)
            if case .undefined(let reason) = value { throw .runtime(reason) }
            if case .string(let text) = value { return PythonNumber.float(from: text).map { .float($0) } ?? preset }
            return value.number.map { .float($0) } ?? preset
        case "round": return try round(value, arguments)
        default: return nil
        }
    }

    private func round(_ value: Value, _ arguments: Arguments) throws(TemplateError) -> Value {
        let bound = try arguments.bound(to: ["precision", "method"], of: "round")
        if case .undefined(let reason) = value { throw .runtime(reason) }
        guard let precision = (bound[0] ?? .int(0)).integer, (-300...300).contains(precision), let number = value.number
        else { throw .runtime("round needs a number and a precision") }
        let method = try bound[1].map { (method) throws(TemplateError) in try text(method, of: "round") } ?? "common"
        let power = Power.of(10, Double(precision))
        switch method {
        case "common":
            if let whole = value.integer, precision >= 0 { return .int(whole) }
            let rounded =
                precision >= 0
                ? PythonNumber.rounded(number, precision) : (number * power).rounded(.toNearestOrEven) / power
            if value.integer != nil, let whole = Int(exactly: rounded) { return .int(whole) }
            return .float(rounded)
        case "ceil": return .float((number * power).rounded(.up) / power)
        case "floor": return .float((number * power).rounded(.down) / power)
        default: throw .runtime("method must be common, ceil or floor")
        }
    }
}
