/// A value of a template: Python's types as far as templates meet them.
///
/// Nothing a template holds can be changed, as in the sandbox that transformers uses, but the attributes of namespaces.
/// Those live in the interpreter, so that no value can contain itself.
enum Value {
    /// Nothing; the text says what was missed, for whoever uses it as if it were something.
    case undefined(String)
    case none
    case bool(Bool)
    case int(Int)
    /// An integer that only JSON brings: it can be passed on and printed.
    case wide(UInt64)
    case float(Double)
    case string(String)
    /// A text that `safe` or `escape` gave: what is added to it is escaped.
    case markup(String)
    case list(List)
    case tuple(List)
    case dict(Dict)
    /// What filters and `range` give: to be walked through.
    case iterable(Iterable)
    /// The number of a namespace in the interpreter.
    case namespace(Int)
    case macro(Macro)
    case loop(LoopState)
    case method(Method)
    case function(GlobalFunction)

    static var emptyString: Value { .string("") }
}

/// How big a value is, so that no walk through it is a surprise: parts that are shared count as often as they are met.
struct Extent {
    /// Levels of nesting: 0 for plain values.
    private(set) var depth = 0
    /// Elements on all levels, and one more for every 16 bytes of text.
    private(set) var weight = 1

    private static let heaviest = 1 << 40

    /// The extent of something made of these parts, unless it nests too deeply.
    init(around parts: some Sequence<Value>) throws(TemplateError) {
        for part in parts { add(part) }
        guard depth < TemplateLimits.valueDepth else { throw .limit("values nest too deeply") }
        depth += 1
    }

    init(depth: Int, weight: Int) {
        self.depth = depth
        self.weight = weight
    }

    /// Counts another part in.
    private mutating func add(_ part: Value) {
        let extent = part.extent
        depth = max(depth, extent.depth)
        weight = min(weight + extent.weight, Self.heaviest)
    }

    /// The extent of two things beside each other.
    static func + (a: Extent, b: Extent) -> Extent {
        Extent(depth: max(a.depth, b.depth), weight: min(a.weight + b.weight, heaviest))
    }
}

/// Elements in order.
struct List {
    let elements: [Value]
    let extent: Extent

    /// A list, unless it nests too deeply.
    init(_ elements: [Value]) throws(TemplateError) {
        extent = try Extent(around: elements)
        self.elements = elements
    }

    private init() {
        elements = []
        extent = Extent(depth: 1, weight: 1)
    }

    static var empty: List { List() }

    var count: Int { elements.count }
}

/// What can be walked through but is no list.
final class Iterable {
    enum Kind: String {
        case generator
        case range
        case keys = "dict_keys"
        case values = "dict_values"
        case items = "dict_items"
    }

    let kind: Kind
    let list: List
    private var isSpent = false

    init(_ kind: Kind, _ list: List) {
        self.kind = kind
        self.list = list
    }

    /// The elements; a generator gives them once.
    func next() -> [Value] {
        if isSpent { return [] }
        isSpent = kind == .generator
        return list.elements
    }

    /// The number of elements, where Python knows it.
    var count: Int? { kind == .generator ? nil : list.count }
}

/// A method that was named but not called.
final class Method {
    let receiver: Value
    let name: String
    let extent: Extent

    init(_ receiver: Value, _ name: String) throws(TemplateError) {
        extent = try Extent(around: [receiver])
        self.receiver = receiver
        self.name = name
    }
}

/// The functions every template can call.
enum GlobalFunction: String, CaseIterable {
    case raiseException = "raise_exception"
    case strftimeNow = "strftime_now"
    case range
    case namespace
    case dict
    case cycler
    case joiner
    case lipsum
}

/// A macro and the variables it sees.
final class Macro {
    let definition: MacroDefinition
    let scope: Scope

    init(_ definition: MacroDefinition, _ scope: Scope) {
        self.definition = definition
        self.scope = scope
    }
}

extension Value {
    /// How big the value is.
    var extent: Extent {
        switch self {
        case .string(let text), .markup(let text): Extent(depth: 0, weight: 1 + text.utf8.count / 16)
        case .list(let list), .tuple(let list): list.extent
        case .dict(let dict): dict.extent
        case .iterable(let iterable): iterable.list.extent
        case .method(let method): method.extent
        case .loop(let loop): loop.extent
        default: Extent(depth: 0, weight: 1)
        }
    }

    /// The name of the value's type in Python.
    var typeName: String {
        switch self {
        case .undefined: "Undefined"
        case .none: "NoneType"
        case .bool: "bool"
        case .int, .wide: "int"
        case .float: "float"
        case .string: "str"
        case .markup: "Markup"
        case .list: "list"
        case .tuple: "tuple"
        case .dict: "dict"
        case .iterable(let iterable): iterable.kind.rawValue
        case .namespace: "Namespace"
        case .macro: "Macro"
        case .loop: "LoopContext"
        case .method: "builtin_function_or_method"
        case .function: "function"
        }
    }

    /// Python's truth of the value.
    var isTrue: Bool {
        switch self {
        case .undefined, .none: false
        case .bool(let value): value
        case .int(let value): value != 0
        case .wide: true
        case .float(let value): value != 0
        case .string(let text), .markup(let text): !text.isEmpty
        case .list(let list), .tuple(let list): list.count > 0
        case .dict(let dict): dict.count > 0
        case .iterable(let iterable): iterable.count.map { $0 > 0 } ?? true
        case .loop(let loop): loop.length > 0
        case .namespace, .macro, .method, .function: true
        }
    }

    var isUndefined: Bool {
        if case .undefined = self { true } else { false }
    }

    /// The integer, where this is one; true and false are 1 and 0 as in Python.
    var integer: Int? {
        switch self {
        case .int(let value): value
        case .bool(let value): value ? 1 : 0
        default: nil
        }
    }

    var text: String? {
        switch self {
        case .string(let text), .markup(let text): text
        default: nil
        }
    }

    /// The value as a number for arithmetic and comparison.
    var number: Double? {
        switch self {
        case .int(let value): Double(value)
        case .wide(let value): Double(value)
        case .bool(let value): value ? 1 : 0
        case .float(let value): value
        default: nil
        }
    }

    /// The value for everything that takes marked-up text as any other.
    var unmarked: Value {
        if case .markup(let text) = self { .string(text) } else { self }
    }

    init(_ constant: Constant) {
        switch constant {
        case .none: self = .none
        case .bool(let value): self = .bool(value)
        case .int(let value): self = .int(value)
        case .float(let value): self = .float(value)
        case .string(let value): self = .string(value)
        }
    }
}
