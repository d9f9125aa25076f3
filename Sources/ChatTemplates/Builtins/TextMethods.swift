// Methods of texts.
extension Interpreter {
    func textMethod(_ name: String, of text: String, _ arguments: Arguments) throws(TemplateError) -> Value {
        try charge(1 + text.utf8.count / 16)
        switch name {
        case "upper", "lower", "title", "capitalize", "swapcase", "casefold":
            _ = try arguments.bound(to: [], of: name)
            return try made(changedCase(name, text))
        case "strip", "lstrip", "rstrip":
            let characters = try optionalText(arguments, "chars", of: name)
            return .string(PythonText.strip(text, characters, left: name != "rstrip", right: name != "lstrip"))
        case "split", "rsplit": return try split(name, text, arguments)
        case "splitlines":
            let keepsEnds = try arguments.bound(to: ["keepends"], of: name)[0]?.isTrue ?? false
            return try texts(PythonText.lines(of: text, keepsEnds: keepsEnds))
        case "partition", "rpartition": return try partition(name, text, arguments)
        case "startswith", "endswith": return .bool(try hasAffix(name, text, arguments))
        case "removeprefix", "removesuffix":
            let affix = try self.text(arguments.bound(to: ["affix"], of: name, required: 1)[0], of: name)
            guard !affix.isEmpty, PythonText.hasAffix(text, affix, atStart: name == "removeprefix") else {
                return .string(text)
            }
            let bytes = Array(text.utf8)
            let kept = name == "removeprefix" ? bytes[affix.utf8.count...] : bytes[..<(bytes.count - affix.utf8.count)]
            return .string(String(decoding: kept, as: UTF8.self))
        case "find", "rfind", "index", "rindex", "count": return try search(name, text, arguments)
        case "replace": return try replace(text, arguments)
        case "join":
            let parts = try arguments.bound(to: ["iterable"], of: name, required: 1)[0] ?? .none
            return try join(parts, separator: text)
        case "format": return try made(try format(text, arguments))
        case "center", "ljust", "rjust", "zfill": return try padded(name, text, arguments)
        default:
            guard name.hasPrefix("is"), let answer = PythonText.answers(name, text) else {
                throw .runtime("the method '\(name)' of texts is not supported")
            }
            return .bool(answer)
        }
    }

    private func changedCase(_ name: String, _ text: String) -> String {
        switch name {
        case "upper": PythonText.upper(text)
        case "lower", "casefold": PythonText.lower(text)
        case "title": PythonText.title(text)
        case "swapcase": PythonText.swapcase(text)
        default: PythonText.capitalize(text)
        }
    }

    /// A text that an argument must be.
    func text(_ value: Value?, of function: String) throws(TemplateError) -> String {
        guard let text = value?.text else {
            if case .undefined(let reason)? = value { throw .runtime(reason) }
            throw .runtime("\(function) needs a text, not \(value?.typeName ?? "nothing")")
        }
        return text
    }

    private func optionalText(
        _ arguments: Arguments, _ parameter: String, of name: String
    ) throws(TemplateError) -> String? {
        let value = try arguments.bound(to: [parameter], of: name)[0]
        if value.map({ $0.typeName == "NoneType" }) ?? true { return nil }
        return try text(value, of: name)
    }

    /// A list of texts, counted.
    func texts(_ parts: [String]) throws(TemplateError) -> Value {
        try charge(parts.count)
        return .list(try List(parts.map { .string($0) }))
    }

    private func split(_ name: String, _ text: String, _ arguments: Arguments) throws(TemplateError) -> Value {
        let bound = try arguments.bound(to: ["sep", "maxsplit"], of: name)
        let limit = bound[1]?.integer ?? -1
        let separator: String? =
            if let value = bound[0], value.typeName != "NoneType" {
                try self.text(value, of: name)
            } else {
                nil
            }
        if let separator, separator.isEmpty { throw .runtime("empty separator") }
        let most = limit < 0 ? Int.max : limit
        guard let separator else {
            return try texts(PythonText.words(of: text, limit: most, fromRight: name == "rsplit"))
        }
        return try texts(PythonText.split(text, separator, limit: most, fromRight: name == "rsplit"))
    }

    private func partition(_ name: String, _ text: String, _ arguments: Arguments) throws(TemplateError) -> Value {
        let separator = try self.text(arguments.bound(to: ["sep"], of: name, required: 1)[0], of: name)
        if separator.isEmpty { throw .runtime("empty separator") }
        let parts = PythonText.split(text, separator, limit: 1, fromRight: name == "rpartition")
        let three =
            parts.count == 2
            ? [parts[0], separator, parts[1]] : name == "partition" ? [text, "", ""] : ["", "", text]
        return .tuple(try List(three.map { .string($0) }))
    }

    private func hasAffix(_ name: String, _ text: String, _ arguments: Arguments) throws(TemplateError) -> Bool {
        let bound = try arguments.bound(to: ["affix", "start", "end"], of: name, required: 1)
        var text = text
        if bound[1] != nil || bound[2] != nil {
            let scalars = Array(text.unicodeScalars)
            text = String(scalars[try span(bound[1], bound[2], in: scalars.count)])
        }
        let affixes: [Value] = if case .tuple(let list)? = bound[0] { list.elements } else { [bound[0] ?? .none] }
        for affix in affixes {
            let affix = try self.text(affix, of: name)
            if PythonText.hasAffix(text, affix, atStart: name == "startswith") { return true }
        }
        return false
    }

    private func search(_ name: String, _ text: String, _ arguments: Arguments) throws(TemplateError) -> Value {
        let bound = try arguments.bound(to: ["sub", "start", "end"], of: name, required: 1)
        let part = Array(try self.text(bound[0], of: name).unicodeScalars)
        let scalars = Array(text.unicodeScalars)
        let range = try span(bound[1], bound[2], in: scalars.count)
        let places = PythonText.occurrences(
            of: part, in: scalars[range], fromRight: name.hasPrefix("r"), overlaps: name != "count")
        if name == "count" { return .int(places.count) }
        if let place = places.first { return .int(place) }
        if name.hasSuffix("index") { throw .runtime("substring not found") }
        return .int(-1)
    }

    /// `replace`, the method and the filter.
    func replace(_ text: String, _ arguments: Arguments) throws(TemplateError) -> Value {
        let bound = try arguments.bound(to: ["old", "new", "count"], of: "replace", required: 2)
        let old = try self.text(bound[0], of: "replace")
        let new = try self.text(bound[1], of: "replace")
        let limit = bound[2]?.integer ?? -1
        let most = (old.isEmpty ? text.utf8.count + 1 : text.utf8.count / old.utf8.count)
        let (growth, overflow) = most.multipliedReportingOverflow(by: new.utf8.count)
        if overflow || growth > limits.outputBytes {
            // Worth counting exactly before the text is made.
            let times = old.isEmpty ? most : PythonText.places(of: Array(old.utf8), in: Array(text.utf8)).count
            let (bytes, overflow) = times.multipliedReportingOverflow(by: new.utf8.count)
            try checkLength(overflow ? .max : bytes)
        }
        return try made(PythonText.replace(text, old, new, count: limit < 0 ? .max : limit))
    }

    /// The method `join`, whose parts must be texts.
    private func join(_ parts: Value, separator: String) throws(TemplateError) -> Value {
        var text = ""
        for (place, part) in try elements(of: parts).enumerated() {
            guard let part = part.text else {
                if case .undefined(let reason) = part { throw .runtime(reason) }
                throw .runtime("sequence item \(place): expected str instance, \(part.typeName) found")
            }
            if place > 0 { text += separator }
            text += part
            try charge()
            if text.utf8.count > limits.outputBytes { break }
        }
        return try made(text)
    }

    private func padded(_ name: String, _ text: String, _ arguments: Arguments) throws(TemplateError) -> Value {
        let bound = try arguments.bound(to: name == "zfill" ? ["width"] : ["width", "fill"], of: name, required: 1)
        guard let width = bound[0]?.integer else { throw .runtime("\(name) needs an integer") }
        try checkLength(max(0, width))
        let fill =
            bound.count > 1 ? try bound[1].map { (fill) throws(TemplateError) in try self.text(fill, of: name) } : nil
        let missing = max(0, width - PythonText.length(text))
        let pad = { (count: Int) in String(repeating: fill ?? (name == "zfill" ? "0" : " "), count: count) }
        guard PythonText.length(fill ?? " ") == 1 else { throw .runtime("the fill must be one character") }
        switch name {
        case "ljust": return try made(text + pad(missing))
        case "rjust": return try made(pad(missing) + text)
        case "zfill":
            let isSigned = text.hasPrefix("-") || text.hasPrefix("+")
            return try made(isSigned ? text.prefix(1) + pad(missing) + text.dropFirst() : pad(missing) + text)
        default:
            // Python puts the odd one to the left where the width is odd.
            let left = missing / 2 + (missing & width & 1)
            return try made(pad(left) + text + pad(missing - left))
        }
    }
}
