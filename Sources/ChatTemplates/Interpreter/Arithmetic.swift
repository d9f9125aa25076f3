/// Python's arithmetic on numbers; integers have 64 bits and say so where that is too few.
enum Arithmetic {
    static func negative(_ value: Value) throws(TemplateError) -> Value {
        if let number = value.integer { return .int(try whole(0.subtractingReportingOverflow(number))) }
        if case .float(let number) = value { return .float(-number) }
        throw unsupported("unary -", value)
    }

    static func positive(_ value: Value) throws(TemplateError) -> Value {
        if let number = value.integer { return .int(number) }
        if case .float = value { return value }
        throw unsupported("unary +", value)
    }

    /// One operation on two numbers; nil where they are not both numbers.
    static func apply(_ operation: Operator, _ left: Value, _ right: Value) throws(TemplateError) -> Value? {
        if let a = left.integer, let b = right.integer { return try apply(operation, a, b) }
        if case .wide = left { throw beyond }
        if case .wide = right { throw beyond }
        guard let a = left.number, let b = right.number else { return nil }
        return .float(try apply(operation, a, b))
    }

    private static func apply(_ operation: Operator, _ a: Int, _ b: Int) throws(TemplateError) -> Value {
        switch operation {
        case .add: return .int(try whole(a.addingReportingOverflow(b)))
        case .subtract: return .int(try whole(a.subtractingReportingOverflow(b)))
        case .multiply: return .int(try whole(a.multipliedReportingOverflow(by: b)))
        case .divide: return .float(try apply(.divide, Double(a), Double(b)))
        case .floorDivide:
            guard b != 0 else { throw .runtime("integer division or modulo by zero") }
            let quotient = try whole(a.dividedReportingOverflow(by: b))
            return .int((a % b != 0) && ((a < 0) != (b < 0)) ? quotient - 1 : quotient)
        case .modulo:
            guard b != 0 else { throw .runtime("integer modulo by zero") }
            if b == -1 { return .int(0) }
            let rest = a % b
            return .int(rest != 0 && ((rest < 0) != (b < 0)) ? rest + b : rest)
        default: return try power(a, b)
        }
    }

    private static func apply(_ operation: Operator, _ a: Double, _ b: Double) throws(TemplateError) -> Double {
        switch operation {
        case .add: return a + b
        case .subtract: return a - b
        case .multiply: return a * b
        case .divide:
            guard b != 0 else { throw .runtime("division by zero") }
            return a / b
        case .floorDivide:
            guard b != 0 else { throw .runtime("float floor division by zero") }
            return ((a - modulo(a, b)) / b).rounded()
        case .modulo:
            guard b != 0 else { throw .runtime("float modulo") }
            return modulo(a, b)
        default:
            if a == 0, b < 0 { throw .runtime("0.0 cannot be raised to a negative power") }
            let result = Power.of(a, b)
            if result.isInfinite, a.isFinite, b.isFinite { throw .runtime("numerical result out of range") }
            if result.isNaN, !a.isNaN, !b.isNaN { throw .runtime("complex numbers are not supported") }
            return result
        }
    }

    /// The rest that has the sign of the divisor.
    private static func modulo(_ a: Double, _ b: Double) -> Double {
        let rest = a.truncatingRemainder(dividingBy: b)
        if rest == 0 { return b < 0 ? -0.0 : 0.0 }
        return (rest < 0) != (b < 0) ? rest + b : rest
    }

    private static func power(_ base: Int, _ exponent: Int) throws(TemplateError) -> Value {
        if exponent < 0 { return .float(try apply(.power, Double(base), Double(exponent))) }
        if base == 0 || base == 1 { return .int(exponent == 0 ? 1 : base) }
        if base == -1 { return .int(exponent % 2 == 0 ? 1 : -1) }
        guard exponent < 64 else { throw beyond }
        var result = 1
        for _ in 0..<exponent { result = try whole(result.multipliedReportingOverflow(by: base)) }
        return .int(result)
    }

    private static let beyond = TemplateError.runtime("an integer beyond 64 bits")

    static func whole(_ outcome: (partialValue: Int, overflow: Bool)) throws(TemplateError) -> Int {
        if outcome.overflow { throw beyond }
        return outcome.partialValue
    }

    private static func unsupported(_ sign: String, _ value: Value) -> TemplateError {
        if case .undefined(let reason) = value { return .runtime(reason) }
        return .runtime("bad operand type for \(sign): '\(value.typeName)'")
    }
}

extension Interpreter {
    /// One arithmetic operation on any two values.
    func arithmetic(_ operation: Operator, _ left: Value, _ right: Value) throws(TemplateError) -> Value {
        if let number = try Arithmetic.apply(operation, left, right) { return number }
        if let text = try markedUp(operation, left, right) { return text }
        switch (operation, left.unmarked, right.unmarked) {
        case (_, .undefined(let reason), _): throw .runtime(reason)
        case (.modulo, .string(let format), _): return try made(try formatted(format, with: right))
        case (_, _, .undefined(let reason)): throw .runtime(reason)
        case (.add, .string(let a), .string(let b)):
            try checkLength(a.utf8.count + b.utf8.count)
            return .string(a + b)
        case (.add, .list(let a), .list(let b)):
            try charge(a.count + b.count)
            return .list(try List(a.elements + b.elements))
        case (.add, .tuple(let a), .tuple(let b)):
            try charge(a.count + b.count)
            return .tuple(try List(a.elements + b.elements))
        case (.multiply, _, _):
            if let times = right.integer, let value = try repeated(left.unmarked, times) { return value }
            if let times = left.integer, let value = try repeated(right.unmarked, times) { return value }
        default: break
        }
        throw .runtime(
            "unsupported operand type(s) for \(operation.rawValue): '\(left.typeName)' and '\(right.typeName)'")
    }

    /// A sum with a text that is marked up already: the other one is escaped.
    private func markedUp(_ operation: Operator, _ left: Value, _ right: Value) throws(TemplateError) -> Value? {
        guard operation == .add, let a = left.text, let b = right.text else { return nil }
        switch (left, right) {
        case (.markup, .markup): try checkLength(a.utf8.count + b.utf8.count)
        case (.markup, _), (_, .markup): try checkLength(6 * (a.utf8.count + b.utf8.count))
        default: return nil
        }
        let parts = [(left, a), (right, b)].map { part, text in
            if case .markup = part { text } else { PythonText.escaped(text) }
        }
        return .markup(parts[0] + parts[1])
    }

    private func repeated(_ value: Value, _ times: Int) throws(TemplateError) -> Value? {
        let times = max(times, 0)
        switch value {
        case .string(let text):
            let (bytes, overflow) = text.utf8.count.multipliedReportingOverflow(by: times)
            try checkLength(overflow ? .max : bytes)
            return .string(text.isEmpty ? "" : String(repeating: text, count: times))
        case .list(let list): return .list(try List(try repeated(list.elements, times)))
        case .tuple(let list): return .tuple(try List(try repeated(list.elements, times)))
        default: return nil
        }
    }

    private func repeated(_ elements: [Value], _ times: Int) throws(TemplateError) -> [Value] {
        let (count, overflow) = elements.count.multipliedReportingOverflow(by: times)
        try charge(overflow ? .max / 2 : count)
        var result: [Value] = []
        result.reserveCapacity(count)
        if !elements.isEmpty { for _ in 0..<times { result.append(contentsOf: elements) } }
        return result
    }
}
