/// A variable's place in the template's table of names.
typealias Name = Int

/// A literal of the source.
enum Constant: Sendable {
    case none
    case bool(Bool)
    case int(Int)
    case float(Double)
    case string(String)
}

/// An operator between two operands.
enum Operator: String, Sendable {
    case add = "+"
    case subtract = "-"
    case multiply = "*"
    case divide = "/"
    case floorDivide = "//"
    case modulo = "%"
    case power = "**"
    case equal = "=="
    case notEqual = "!="
    case less = "<"
    case lessOrEqual = "<="
    case greater = ">"
    case greaterOrEqual = ">="
    case isIn = "in"
    case isNotIn = "not in"
}

/// An expression and the line on which it begins.
struct Expression: Sendable {
    let line: Int
    let kind: Kind
    /// Levels of expressions from here down.
    let height: Int

    init(line: Int, kind: Kind) {
        self.line = line
        self.kind = kind
        height = 1 + kind.parts.reduce(0) { max($0, $1.height) }
    }

    /// Chains of one precedence (`a + b - c`, `a or b or c`, `a < b < c`) are flat, so that a long one is not a deep one.
    indirect enum Kind: Sendable {
        case constant(Constant)
        case name(Name)
        case attribute(Expression, String)
        case item(Expression, Expression)
        case slice(Expression, Slice)
        case call(Expression, ArgumentList)
        /// The operand is nil in `{% filter %}` and `{% set x | f %}`, where it is the text of the block.
        case filter(Expression?, String, ArgumentList)
        case test(Expression, String, ArgumentList)
        case list([Expression])
        case tuple([Expression])
        case dict([DictMember])
        case not(Expression)
        case negative(Expression)
        case positive(Expression)
        case chain(Expression, [Operand])
        case comparison(Expression, [Operand])
        case and([Expression])
        case or([Expression])
        case concatenation([Expression])
        case conditional(test: Expression, then: Expression, otherwise: Expression?)
    }

    /// An operator and what stands to its right.
    struct Operand: Sendable {
        let operation: Operator
        let expression: Expression
    }

    /// One `key: value` of a dictionary literal.
    struct DictMember: Sendable {
        let key: Expression
        let value: Expression
    }

    /// `start:stop:step`.
    struct Slice: Sendable {
        let start: Expression?
        let stop: Expression?
        let step: Expression?
    }
}

extension Expression.Kind {
    /// The expressions of which this one is made.
    var parts: [Expression] {
        switch self {
        case .constant, .name: []
        case .attribute(let value, _), .not(let value), .negative(let value), .positive(let value): [value]
        case .item(let value, let index): [value, index]
        case .slice(let value, let slice): [value] + [slice.start, slice.stop, slice.step].compactMap { $0 }
        case .call(let value, let list), .test(let value, _, let list): [value] + list.parts
        case .filter(let value, _, let list): (value.map { [$0] } ?? []) + list.parts
        case .list(let parts), .tuple(let parts), .and(let parts), .or(let parts), .concatenation(let parts): parts
        case .dict(let members): members.flatMap { [$0.key, $0.value] }
        case .chain(let first, let operands), .comparison(let first, let operands):
            [first] + operands.map(\.expression)
        case .conditional(let test, let then, let otherwise): [test, then] + (otherwise.map { [$0] } ?? [])
        }
    }
}

/// What stands between the parentheses of a call.
struct ArgumentList: Sendable {
    /// One `name=value`.
    struct Keyword: Sendable {
        let name: String
        let value: Expression
    }

    var positional: [Expression] = []
    var named: [Keyword] = []
    /// `*list`.
    var spread: Expression?
    /// `**dictionary`.
    var namedSpread: Expression?

    /// All expressions of the list.
    var parts: [Expression] { positional + named.map(\.value) + [spread, namedSpread].compactMap { $0 } }
}

/// What a value is assigned to.
indirect enum Target: Sendable {
    case name(Name)
    /// An attribute of a namespace.
    case attribute(Name, String)
    case tuple([Target])
}

/// A statement and the line on which it begins.
struct Statement: Sendable {
    let line: Int
    let kind: Kind

    indirect enum Kind: Sendable {
        case text(String)
        case output(Expression)
        case conditional([Branch], otherwise: [Statement])
        case loop(Loop)
        case assign(Target, Expression)
        /// The filter's innermost operand is the text of the block.
        case assignBlock(Target, filter: Expression?, [Statement])
        case macro(MacroDefinition)
        case callBlock(call: Expression, MacroDefinition)
        case filterBlock(Expression, [Statement])
        case with([Binding], [Statement])
        /// A body with variables of its own: `generation`, and `block` outside of inheritance.
        case scope([Statement], isRoot: Bool)
        case breakLoop
        case continueLoop
    }

    /// A condition and what is done where it holds.
    struct Branch: Sendable {
        let test: Expression
        let body: [Statement]
    }

    /// One `name = value` of a `with`.
    struct Binding: Sendable {
        let target: Target
        let value: Expression
    }

    /// `for target in iterable if filter recursive`.
    struct Loop: Sendable {
        let target: Target
        let iterable: Expression
        let filter: Expression?
        let isRecursive: Bool
        let body: [Statement]
        let otherwise: [Statement]
    }
}

/// A macro, or the body of a `call` block, which is one without a name.
final class MacroDefinition: Sendable {
    /// A parameter and what it is where a call leaves it out.
    struct Parameter: Sendable {
        let name: Name
        let text: String
        let preset: Expression?
    }

    let name: Name?
    let label: String
    let parameters: [Parameter]
    let body: [Statement]
    /// Which of the special names the body speaks of; only those may be handed in.
    let specials: SpecialNames

    init(name: Name?, label: String, parameters: [Parameter], body: [Statement], specials: SpecialNames) {
        self.name = name
        self.label = label
        self.parameters = parameters
        self.body = body
        self.specials = specials
    }
}

/// The names that have a meaning inside of a macro.
struct SpecialNames: OptionSet, Sendable {
    let rawValue: UInt8
    static let caller = SpecialNames(rawValue: 1)
    static let varargs = SpecialNames(rawValue: 2)
    static let kwargs = SpecialNames(rawValue: 4)
}

/// A template's statements and the names of its variables.
struct TemplateSyntax: Sendable {
    let statements: [Statement]
    let names: NameTable
}

/// Numbers for names, so that a variable is found without hashing.
struct NameTable: Sendable {
    private(set) var texts: [String] = []
    private var numbers: [String: Name] = [:]

    static let loop = 0
    static let caller = 1
    static let varargs = 2
    static let kwargs = 3

    init() {
        for text in ["loop", "caller", "varargs", "kwargs"] { _ = number(of: text) }
    }

    /// The number of a name, a new one where it is new.
    mutating func number(of text: String) -> Name {
        if let known = numbers[text] { return known }
        numbers[text] = texts.count
        texts.append(text)
        return texts.count - 1
    }

    /// The number of a name that the template speaks of.
    func find(_ text: String) -> Name? { numbers[text] }
}
