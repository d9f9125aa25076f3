// Filters on lists, dictionaries and other things to walk through.
extension Interpreter {
    func sequenceFilter(
        _ name: String, _ value: Value, _ arguments: Arguments
    ) throws(TemplateError) -> Value? {
        switch name {
        case "length", "count":
            _ = try arguments.bound(to: [], of: name)
            return .int(try length(of: value))
        case "first":
            return try elements(of: value).first ?? .undefined("no first item, sequence was empty")
        case "last":
            if case .iterable(let iterable) = value, iterable.kind == .generator {
                throw .runtime("'generator' object is not reversible")
            }
            return try elements(of: value).last ?? .undefined("no last item, sequence was empty")
        case "list":
            let elements = try self.elements(of: value)
            try charge(elements.count)
            return .list(try List(elements))
        case "reverse": return try reverse(value)
        case "join": return try join(value, arguments)
        case "sum": return try sum(value, arguments)
        case "items":
            if value.isUndefined { return .iterable(Iterable(.generator, .empty)) }
            guard case .dict(let dict) = value else { throw .runtime("can only get item pairs from a mapping") }
            try charge(dict.count)
            return .iterable(Iterable(.generator, try List(try dict.items)))
        case "dictsort": return try sortedItems(value, arguments)
        case "batch", "slice": return try grouped(name, value, arguments)
        default: return nil
        }
    }

    private func length(of value: Value) throws(TemplateError) -> Int {
        switch value {
        case .undefined: return 0
        case .string(let text):
            try charge(text.utf8.count / 64)
            return PythonText.length(text)
        case .list(let list), .tuple(let list): return list.count
        case .dict(let dict): return dict.count
        case .loop(let loop): return loop.length
        case .iterable(let iterable):
            if let count = iterable.count { return count }
            fallthrough
        default: throw .runtime("object of type '\(value.typeName)' has no len()")
        }
    }

    private func reverse(_ value: Value) throws(TemplateError) -> Value {
        if case .string(let text) = value {
            try charge(value)
            return .string(String(text.unicodeScalars.reversed()))
        }
        let elements = try self.elements(of: value)
        try charge(elements.count)
        return .iterable(Iterable(.generator, try List(elements.reversed())))
    }

    private func join(_ value: Value, _ arguments: Arguments) throws(TemplateError) -> Value {
        let bound = try arguments.bound(to: ["d", "attribute"], of: "join")
        let separator = try printed(bound[0] ?? .emptyString)
        let path = try bound[1].map { (path) throws(TemplateError) in try AttributePath(path) }
        var text = ""
        for (place, element) in try elements(of: value).enumerated() {
            try charge()
            if place > 0 { text += separator }
            text += try printed(
                try path.map { (path) throws(TemplateError) in try self.value(at: path, of: element) } ?? element)
            if text.utf8.count > limits.outputBytes { break }
        }
        return try made(text)
    }

    private func sum(_ value: Value, _ arguments: Arguments) throws(TemplateError) -> Value {
        let bound = try arguments.bound(to: ["attribute", "start"], of: "sum")
        let path = try bound[0].map { (path) throws(TemplateError) in try AttributePath(path) }
        var sum = bound[1] ?? .int(0)
        for element in try elements(of: value) {
            try charge()
            let part = try path.map { (path) throws(TemplateError) in try self.value(at: path, of: element) } ?? element
            sum = try arithmetic(.add, sum, part)
        }
        return sum
    }

    private func sortedItems(_ value: Value, _ arguments: Arguments) throws(TemplateError) -> Value {
        let bound = try arguments.bound(to: ["case_sensitive", "by", "reverse"], of: "dictsort")
        if case .undefined(let reason) = value { throw .runtime(reason) }
        guard case .dict(let dict) = value else { throw .runtime("dictsort needs a dictionary") }
        let by = try bound[1].map { (by) throws(TemplateError) in try text(by, of: "dictsort") } ?? "key"
        guard ["key", "value"].contains(by) else { throw .runtime("you can only sort by either 'key' or 'value'") }
        let isSensitive = bound[0]?.isTrue ?? false
        try charge(value)
        let members = Array(zip(dict.keys, dict.values))
        let sorted = try Value.sorted(members, isReversed: bound[2]?.isTrue ?? false) { member in
            let key = by == "key" ? member.0 : member.1
            return isSensitive ? key : key.withoutCase
        }
        var pairs: [Value] = []
        for member in sorted { pairs.append(.tuple(try List([member.0, member.1]))) }
        return .list(try List(pairs))
    }

    /// `batch`: lists of so many elements. `slice`: so many lists.
    private func grouped(_ name: String, _ value: Value, _ arguments: Arguments) throws(TemplateError) -> Value {
        let bound = try arguments.bound(
            to: [name == "batch" ? "linecount" : "slices", "fill_with"], of: name, required: 1)
        guard let count = bound[0]?.integer, count > 0 else { throw .runtime("\(name) needs a positive integer") }
        let elements = try self.elements(of: value)
        try charge(elements.count + count)
        var groups: [Value] = []
        if name == "batch" {
            for start in stride(from: 0, to: elements.count, by: min(count, elements.count + 1)) {
                var group = Array(elements[start..<min(elements.count, start + min(count, elements.count))])
                if let fill = bound[1], fill.typeName != "NoneType" {
                    while group.count < count { group.append(fill) }
                }
                groups.append(.list(try List(group)))
            }
        } else {
            let (size, longer) = (elements.count / count, elements.count % count)
            var start = 0
            for index in 0..<count {
                let end = start + size + (index < longer ? 1 : 0)
                var group = Array(elements[start..<end])
                if let fill = bound[1], fill.typeName != "NoneType", index >= longer { group.append(fill) }
                groups.append(.list(try List(group)))
                start = end
            }
        }
        return .iterable(Iterable(.generator, try List(groups)))
    }
}

extension Value {
    /// A text in lower case, anything else as it is: what sorting and comparing go by unless told otherwise.
    var withoutCase: Value {
        if case .string(let text) = self { .string(PythonText.lower(text)) } else { self }
    }
}

/// `a.b.0`: what filters take as an attribute.
struct AttributePath {
    let steps: [Value]

    init(_ value: Value) throws(TemplateError) {
        switch value {
        case .string(let text):
            steps = PythonText.split(text, ".", limit: .max, fromRight: false).map { part in
                !part.isEmpty && part.utf8.allSatisfy { (48...57).contains($0) } && part.utf8.count < 18
                    ? .int(Int(part) ?? 0) : .string(part)
            }
        case .int: steps = [value]
        default: throw .runtime("an attribute is a text or an integer")
        }
    }
}

extension Interpreter {
    /// The attribute of a value that a path leads to.
    func value(at path: AttributePath, of value: Value, preset: Value? = nil) throws(TemplateError) -> Value {
        var value = value
        for step in path.steps {
            try charge()
            value = try item(step, of: value)
            if let preset, value.isUndefined { value = preset }
        }
        return value
    }
}
