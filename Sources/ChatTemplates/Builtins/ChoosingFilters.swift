// Filters that choose, order or change elements.
extension Interpreter {
    func choosingFilter(
        _ name: String, _ value: Value, _ arguments: Arguments
    ) throws(TemplateError) -> Value? {
        switch name {
        case "map": return try generator(try mapped(value, arguments))
        case "select", "reject", "selectattr", "rejectattr":
            return try generator(try chosen(name, value, arguments))
        case "sort":
            let bound = try arguments.bound(to: ["reverse", "case_sensitive", "attribute"], of: name)
            return .list(
                try List(try sorted(value, bound[2], isReversed: bound[0]?.isTrue, isSensitive: bound[1]?.isTrue)))
        case "unique": return try generator(try unique(value, arguments))
        case "min", "max": return try extreme(name, value, arguments)
        case "groupby": return try groups(value, arguments)
        default: return nil
        }
    }

    private func generator(_ elements: [Value]) throws(TemplateError) -> Value {
        try charge(elements.count)
        return .iterable(Iterable(.generator, try List(elements)))
    }

    private func mapped(_ value: Value, _ arguments: Arguments) throws(TemplateError) -> [Value] {
        var results: [Value] = []
        guard value.isTrue else { return results }
        if arguments.positional.isEmpty, arguments.named.contains(where: { $0.name == "attribute" }) {
            let bound = try Arguments(named: arguments.named).bound(to: ["attribute", "default"], of: "map")
            let path = try AttributePath(bound[0] ?? .none)
            for element in try elements(of: value) {
                results.append(try self.value(at: path, of: element, preset: bound[1]))
            }
            return results
        }
        guard let first = arguments.positional.first else { throw .runtime("map requires a filter argument") }
        let name = try text(first, of: "map")
        var rest = arguments
        rest.positional.removeFirst()
        for element in try elements(of: value) {
            try charge()
            results.append(try filter(name, element, rest))
        }
        return results
    }

    private func chosen(_ name: String, _ value: Value, _ arguments: Arguments) throws(TemplateError) -> [Value] {
        guard value.isTrue else { return [] }
        var rest = arguments
        var path: AttributePath?
        if name.hasSuffix("attr") {
            guard !rest.positional.isEmpty else { throw .runtime("missing parameter for attribute name") }
            path = try AttributePath(rest.positional.removeFirst())
        }
        let test = try rest.positional.isEmpty ? nil : text(rest.positional.removeFirst(), of: name)
        var kept: [Value] = []
        for element in try elements(of: value) {
            try charge()
            let subject =
                try path.map { (path) throws(TemplateError) in try self.value(at: path, of: element) } ?? element
            let holds =
                try test.map { (test) throws(TemplateError) in try self.test(test, subject, rest) } ?? subject.isTrue
            if holds == name.hasPrefix("select") { kept.append(element) }
        }
        return kept
    }

    /// Elements in order of themselves, or of one or more attributes with commas between.
    private func sorted(
        _ value: Value, _ attribute: Value?, isReversed: Bool?, isSensitive: Bool?
    ) throws(TemplateError) -> [Value] {
        try charge(value)
        var keyed: [(key: Value, element: Value)] = []
        var paths: [AttributePath] = []
        if case .string(let text)? = attribute {
            for part in PythonText.split(text, ",", limit: .max, fromRight: false) {
                paths.append(try AttributePath(.string(part)))
            }
        } else if let attribute, attribute.typeName != "NoneType" {
            paths.append(try AttributePath(attribute))
        }
        for element in try elements(of: value) {
            var keys: [Value] = []
            for path in paths { keys.append(try self.value(at: path, of: element)) }
            if paths.isEmpty { keys = [element] }
            if isSensitive != true { keys = keys.map(\.withoutCase) }
            keyed.append((keys.count == 1 ? keys[0] : .list(try List(keys)), element))
        }
        try charge(keyed.count * 8)
        return try Value.sorted(keyed, isReversed: isReversed ?? false) { $0.key }.map(\.element)
    }

    private func unique(_ value: Value, _ arguments: Arguments) throws(TemplateError) -> [Value] {
        let bound = try arguments.bound(to: ["case_sensitive", "attribute"], of: "unique")
        let isSensitive = bound[0]?.isTrue ?? false
        let path = try bound[1].map { (path) throws(TemplateError) in try AttributePath(path) }
        try charge(value)
        var seen: Set<DictKey> = []
        var kept: [Value] = []
        for element in try elements(of: value) {
            let key = try path.map { (path) throws(TemplateError) in try self.value(at: path, of: element) } ?? element
            if seen.insert(try DictKey(isSensitive ? key : key.withoutCase)).inserted { kept.append(element) }
        }
        return kept
    }

    private func extreme(_ name: String, _ value: Value, _ arguments: Arguments) throws(TemplateError) -> Value {
        let bound = try arguments.bound(to: ["case_sensitive", "attribute"], of: name)
        let isSensitive = bound[0]?.isTrue ?? false
        let path = try bound[1].map { (path) throws(TemplateError) in try AttributePath(path) }
        try charge(value)
        var best: (key: Value, element: Value)?
        for element in try elements(of: value) {
            let raw = try path.map { (path) throws(TemplateError) in try self.value(at: path, of: element) } ?? element
            let key = isSensitive ? raw : raw.withoutCase
            guard let current = best else {
                best = (key, element)
                continue
            }
            let isBetter = try name == "min" ? Value.less(key, current.key) : Value.less(current.key, key, ">")
            if isBetter { best = (key, element) }
        }
        return best?.element ?? .undefined("no aggregated item, sequence was empty")
    }

    /// Pairs of an attribute's value and the elements that have it, in order of the values.
    private func groups(_ value: Value, _ arguments: Arguments) throws(TemplateError) -> Value {
        let bound = try arguments.bound(to: ["attribute", "default", "case_sensitive"], of: "groupby", required: 1)
        let path = try AttributePath(bound[0] ?? .none)
        let isSensitive = bound[2]?.isTrue ?? false
        try charge(value)
        var keyed: [(raw: Value, key: Value, element: Value)] = []
        for element in try elements(of: value) {
            let raw = try self.value(at: path, of: element, preset: bound[1])
            keyed.append((raw, isSensitive ? raw : raw.withoutCase, element))
        }
        var pairs: [Value] = []
        var group: [Value] = []
        let ordered = try Value.sorted(keyed) { $0.key }
        for (place, entry) in ordered.enumerated() {
            group.append(entry.element)
            let isLast = place + 1 == ordered.count || !Value.equal(ordered[place + 1].key, entry.key)
            guard isLast else { continue }
            let first = ordered[place + 1 - group.count].raw
            pairs.append(.tuple(try List([first, .list(try List(group))])))
            group = []
        }
        return .list(try List(pairs))
    }
}
