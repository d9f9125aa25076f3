// Methods of lists and dictionaries, and of `loop`. Those of texts are in TextMethods.swift.
extension Interpreter {
    /// Calls a method of a value.
    func method(_ name: String, of value: Value, _ arguments: Arguments) throws(TemplateError) -> Value {
        switch value {
        case .string(let text): return try textMethod(name, of: text, arguments)
        case .list(let list), .tuple(let list): return try listMethod(name, of: value, list, arguments)
        case .dict(let dict): return try dictMethod(name, of: dict, arguments)
        case .loop(let loop): return try loopMethod(name, of: loop, arguments)
        default: throw .runtime("'\(value.typeName) object' has no method '\(name)'")
        }
    }

    private func listMethod(
        _ name: String, of value: Value, _ list: List, _ arguments: Arguments
    ) throws(TemplateError) -> Value {
        switch name {
        case "copy": return value
        case "count", "index":
            let parameters = name == "count" ? ["value"] : ["value", "start", "stop"]
            let bound = try arguments.bound(to: parameters, of: name, required: 1)
            let wanted = bound[0] ?? .none
            try charge(value)
            if name == "count" { return .int(list.elements.count { Value.equal($0, wanted) }) }
            let range = try span(bound[1], bound[2], in: list.count)
            guard let place = list.elements[range].firstIndex(where: { Value.equal($0, wanted) }) else {
                throw .runtime("\(wanted.represented.prefix(100)) is not in list")
            }
            return .int(place)
        default: throw .runtime("the method '\(name)' of lists is not supported")
        }
    }

    private func dictMethod(_ name: String, of dict: Dict, _ arguments: Arguments) throws(TemplateError) -> Value {
        switch name {
        case "get":
            let bound = try arguments.bound(to: ["key", "default"], of: name, required: 1)
            return try dict.value(of: bound[0] ?? .none) ?? bound[1] ?? .none
        case "copy", "keys", "values", "items":
            _ = try arguments.bound(to: [], of: name)
            try charge(dict.count)
            switch name {
            case "copy": return .dict(dict)
            case "keys": return .iterable(Iterable(.keys, try List(dict.keys)))
            case "values": return .iterable(Iterable(.values, try List(dict.values)))
            default: return .iterable(Iterable(.items, try List(try dict.items)))
            }
        default: throw .runtime("the method '\(name)' of dictionaries is not supported")
        }
    }

    private func loopMethod(
        _ name: String, of loop: LoopState, _ arguments: Arguments
    ) throws(TemplateError) -> Value {
        guard arguments.named.isEmpty else { throw .runtime("loop.\(name) takes no keyword arguments") }
        if name == "cycle" {
            guard !arguments.positional.isEmpty else { throw .runtime("no items for cycling given") }
            return arguments.positional[loop.index % arguments.positional.count]
        }
        let value = Value.tuple(try List(arguments.positional))
        try charge(value)
        if let last = loop.lastChecked, Value.equal(last, value) { return .bool(false) }
        loop.lastChecked = value
        return .bool(true)
    }

    /// The part of a sequence that optional bounds of a search mean.
    func span(_ start: Value?, _ stop: Value?, in count: Int) throws(TemplateError) -> Range<Int> {
        var bounds = [0, count]
        for (index, value) in [start, stop].enumerated() {
            guard let value, value.typeName != "NoneType" else { continue }
            guard let number = value.integer else { throw .runtime("slice indices must be integers or None") }
            bounds[index] = min(max(number < 0 ? number + count : number, 0), count)
        }
        return bounds[0]..<max(bounds[0], bounds[1])
    }
}
