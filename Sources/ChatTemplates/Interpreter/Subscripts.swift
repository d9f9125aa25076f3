// Attributes, elements and slices.
extension Interpreter {
    /// `value.name`: an attribute of the value's type, or else an element of that name.
    func attribute(_ name: String, of value: Value) throws(TemplateError) -> Value {
        if case .undefined(let reason) = value { throw .runtime(reason) }
        if let own = try ownAttribute(name, of: value) { return own }
        if case .dict(let dict) = value, let member = dict[name] { return member }
        return .undefined("'\(value.typeName) object' has no attribute '\(name)'")
    }

    /// `value[index]`: an element, or else an attribute of the value's type.
    func item(_ index: Value, of value: Value) throws(TemplateError) -> Value {
        switch value {
        case .undefined(let reason): throw .runtime(reason)
        case .dict(let dict):
            if let member = try? dict.value(of: index) { return member }
        case .list(let list), .tuple(let list):
            if let number = index.integer, let place = Self.place(number, in: list.count) {
                return list.elements[place]
            }
        case .iterable(let iterable) where iterable.kind == .range:
            if let number = index.integer, let place = Self.place(number, in: iterable.list.count) {
                return iterable.list.elements[place]
            }
        case .string(let text):
            if let number = index.integer, let scalar = try character(number, of: text) { return .string(scalar) }
        default: break
        }
        guard case .string(let name) = index else {
            return .undefined("\(value.typeName) object has no element \(index.represented.prefix(100))")
        }
        if let own = try ownAttribute(name, of: value) { return own }
        return .undefined("'\(value.typeName) object' has no attribute '\(name)'")
    }

    /// What an index from either end means, in a sequence of some length.
    static func place(_ index: Int, in count: Int) -> Int? {
        let place = index < 0 ? index + count : index
        return (0..<count).contains(place) ? place : nil
    }

    private func character(_ index: Int, of text: String) throws(TemplateError) -> String? {
        try charge(1 + min(index.magnitude, UInt(text.utf8.count)).signedOrMax / 16)
        let scalars = text.unicodeScalars
        guard
            let place = index >= 0
                ? scalars.index(scalars.startIndex, offsetBy: index, limitedBy: scalars.endIndex)
                : scalars.index(scalars.endIndex, offsetBy: index, limitedBy: scalars.startIndex),
            place < scalars.endIndex
        else { return nil }
        return String(scalars[place])
    }

    /// An attribute that the value's type has in Python.
    private func ownAttribute(_ name: String, of value: Value) throws(TemplateError) -> Value? {
        switch value {
        case .namespace(let number):
            let space = namespaces[number]
            return space.names.firstIndex { PythonText.equal($0, name) }.map { space.values[$0] }
        case .loop(let loop):
            if let attribute = loop.attribute(name) { return attribute }
            return ["cycle", "changed"].contains(name) ? .method(try Method(value, name)) : nil
        case .macro(let macro):
            return name == "name" ? .string(macro.definition.label) : nil
        default: break
        }
        if name.hasPrefix("__"), name.hasSuffix("__") {
            return .undefined("access to attribute '\(name)' of '\(value.typeName)' object is unsafe")
        }
        guard MethodNames.has(name, value) else { return nil }
        if MethodNames.changes(name, value) {
            return .undefined("access to attribute '\(name)' of '\(value.typeName)' object is unsafe")
        }
        return .method(try Method(value, name))
    }

    // MARK: Slices

    /// `value[start:stop:step]`.
    func sliced(_ value: Value, _ slice: Expression.Slice, in scope: Scope) throws(TemplateError) -> Value {
        let start = try bound(slice.start, in: scope)
        let stop = try bound(slice.stop, in: scope)
        let step = try bound(slice.step, in: scope) ?? 1
        guard step != 0 else { throw .runtime("slice step cannot be zero") }
        switch value {
        case .undefined(let reason): throw .runtime(reason)
        case .list(let list): return .list(try List(try pick(list.elements, start, stop, step)))
        case .tuple(let list): return .tuple(try List(try pick(list.elements, start, stop, step)))
        case .iterable(let iterable) where iterable.kind == .range:
            return .iterable(Iterable(.range, try List(try pick(iterable.list.elements, start, stop, step))))
        case .string(let text):
            try charge(value)
            return try made(String(try pick(Array(text.unicodeScalars), start, stop, step)))
        default: return .undefined("\(value.typeName) object has no element of a slice")
        }
    }

    private func bound(_ expression: Expression?, in scope: Scope) throws(TemplateError) -> Int? {
        guard let expression else { return nil }
        let value = try evaluate(expression, in: scope)
        if case .none = value { return nil }
        guard let number = value.integer else { throw .runtime("slice indices must be integers or None") }
        return number
    }

    private func pick<Element>(
        _ elements: [Element], _ start: Int?, _ stop: Int?, _ step: Int
    ) throws(TemplateError) -> [Element] {
        let count = elements.count
        let step = min(max(step, -count - 1), count + 1)
        let lowest = step < 0 ? -1 : 0
        let highest = step < 0 ? count - 1 : count
        let clamp = { (bound: Int) in min(max(bound < 0 ? bound + count : bound, lowest), highest) }
        let from = start.map(clamp) ?? (step < 0 ? highest : lowest)
        let to = stop.map(clamp) ?? (step < 0 ? lowest : highest)
        if step == 1 {
            try charge(max(to - from, 0) / 4)
            return from < to ? Array(elements[from..<to]) : []
        }
        var picked: [Element] = []
        for place in stride(from: from, to: to, by: step) {
            try charge()
            picked.append(elements[place])
        }
        return picked
    }
}

extension UInt {
    fileprivate var signedOrMax: Int { Int(clamping: self) }
}
