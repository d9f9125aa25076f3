// Equality and order as Python has them.
extension Value {
    /// Python's `==`.
    static func equal(_ a: Value, _ b: Value) -> Bool {
        switch (a, b) {
        case (.undefined, .undefined), (.none, .none): true
        case (.string(let a), .string(let b)), (.string(let a), .markup(let b)), (.markup(let a), .string(let b)),
            (.markup(let a), .markup(let b)):
            PythonText.equal(a, b)
        case (.int(let a), .int(let b)): a == b
        case (.wide(let a), .wide(let b)): a == b
        case (.int, .wide), (.wide, .int): false
        case (.list(let a), .list(let b)), (.tuple(let a), .tuple(let b)): equal(a.elements, b.elements)
        case (.dict(let a), .dict(let b)): equal(a, b)
        case (.iterable(let a), .iterable(let b)):
            a === b || (a.kind == b.kind && a.kind != .generator && equal(a.list.elements, b.list.elements))
        case (.namespace(let a), .namespace(let b)): a == b
        case (.macro(let a), .macro(let b)): a === b
        case (.loop(let a), .loop(let b)): a === b
        case (.method(let a), .method(let b)): a === b
        case (.function(let a), .function(let b)): a == b
        default:
            if let a = a.integer, let b = b.integer {
                a == b
            } else if let a = a.number, let b = b.number {
                a == b
            } else {
                false
            }
        }
    }

    private static func equal(_ a: [Value], _ b: [Value]) -> Bool {
        guard a.count == b.count else { return false }
        for place in a.indices where !equal(a[place], b[place]) { return false }
        return true
    }

    private static func equal(_ a: Dict, _ b: Dict) -> Bool {
        guard a.count == b.count else { return false }
        for (key, value) in zip(a.keys, a.values) {
            guard let other = try? b.value(of: key), equal(value, other) else { return false }
        }
        return true
    }

    /// Python's `<`.
    static func less(_ a: Value, _ b: Value, _ sign: String = "<") throws(TemplateError) -> Bool {
        if let a = a.text, let b = b.text { return PythonText.less(a, b) }
        switch (a, b) {
        case (.list(let a), .list(let b)), (.tuple(let a), .tuple(let b)):
            for (first, second) in zip(a.elements, b.elements) where !equal(first, second) {
                return try less(first, second, sign)
            }
            return a.count < b.count
        default:
            if let a = a.integer, let b = b.integer { return a < b }
            if let a = a.number, let b = b.number { return a < b }
            if case .undefined(let reason) = a { throw .runtime(reason) }
            if case .undefined(let reason) = b { throw .runtime(reason) }
            throw .runtime("'\(sign)' not supported between instances of '\(a.typeName)' and '\(b.typeName)'")
        }
    }

    /// Elements in order, equal ones in the order in which they came; errors where two cannot be compared.
    static func sorted<Element>(
        _ elements: [Element], isReversed: Bool = false, by key: (Element) -> Value
    ) throws(TemplateError) -> [Element] {
        let keyed = elements.map { (key: key($0), element: $0) }
        var failure: TemplateError?
        let ordered = keyed.enumerated().sorted { a, b in
            guard failure == nil else { return a.offset < b.offset }
            do throws(TemplateError) {
                let (first, second) = isReversed ? (b, a) : (a, b)
                if try less(first.element.key, second.element.key) { return true }
                if try less(second.element.key, first.element.key) { return false }
            } catch {
                failure = error
            }
            return a.offset < b.offset
        }
        if let failure { throw failure }
        return ordered.map(\.element.element)
    }
}
