// Evaluating expressions.
extension Interpreter {
    /// The value of an expression. `block` is the text of the block that a filter without an operand works on.
    func evaluate(_ expression: Expression, in scope: Scope, block: Value? = nil) throws(TemplateError) -> Value {
        try charge()
        switch expression.kind {
        case .constant(let constant): return Value(constant)
        case .name(let name): return lookUp(name, in: scope)
        default:
            return try deeper { () throws(TemplateError) in
                try evaluateParts(of: expression, in: scope, block: block)
            }
        }
    }

    private func evaluateParts(
        of expression: Expression, in scope: Scope, block: Value?
    ) throws(TemplateError) -> Value {
        line = expression.line
        switch expression.kind {
        case .constant(let constant): return Value(constant)
        case .name(let name): return lookUp(name, in: scope)
        case .attribute(let value, let name): return try attribute(name, of: try evaluate(value, in: scope).unmarked)
        case .item(let value, let index):
            let value = try evaluate(value, in: scope).unmarked
            return try item(try evaluate(index, in: scope).unmarked, of: value)
        case .slice(let value, let slice): return try sliced(try evaluate(value, in: scope).unmarked, slice, in: scope)
        case .call(let callee, let list): return try call(callee, try arguments(list, in: scope), in: scope)
        case .filter(let operand, let name, let list):
            let value = try operand.map { (operand) throws(TemplateError) in
                try evaluate(operand, in: scope, block: block)
            }
            if case .markup? = value, name == "string" || name == "safe" { return value ?? .emptyString }
            return try filter(name, value?.unmarked ?? block ?? .emptyString, try arguments(list, in: scope))
        case .test(let operand, let name, let list):
            let value = try evaluate(operand, in: scope).unmarked
            return .bool(try test(name, value, try arguments(list, in: scope)))
        case .list(let parts): return .list(try List(try evaluate(parts, in: scope)))
        case .tuple(let parts): return .tuple(try List(try evaluate(parts, in: scope)))
        case .dict(let members): return try dictionary(members, in: scope)
        case .not(let operand): return .bool(!(try evaluate(operand, in: scope)).isTrue)
        case .negative(let operand): return try Arithmetic.negative(try evaluate(operand, in: scope))
        case .positive(let operand): return try Arithmetic.positive(try evaluate(operand, in: scope))
        case .chain(let first, let operands): return try chain(first, operands, in: scope)
        case .comparison(let first, let operands): return try compare(first, operands, in: scope)
        case .and(let parts): return try logic(parts, until: false, in: scope)
        case .or(let parts): return try logic(parts, until: true, in: scope)
        case .concatenation(let parts): return try concatenate(parts, in: scope)
        case .conditional(let test, let then, let otherwise):
            if try evaluate(test, in: scope).isTrue { return try evaluate(then, in: scope) }
            if let otherwise { return try evaluate(otherwise, in: scope) }
            return .undefined("the inline if-expression evaluated to false and no else section was defined")
        }
    }

    /// The values of expressions in order.
    private func evaluate(_ parts: [Expression], in scope: Scope) throws(TemplateError) -> [Value] {
        var values: [Value] = []
        values.reserveCapacity(parts.count)
        for part in parts { values.append(try evaluate(part, in: scope)) }
        return values
    }

    /// A variable, or else a function of that name.
    func lookUp(_ name: Name, in scope: Scope) -> Value {
        if let value = scope.find(name) { return value }
        let text = syntax.names.texts[name]
        return GlobalFunction(rawValue: text).map { .function($0) } ?? .undefined("'\(text)' is undefined")
    }

    private func dictionary(_ members: [Expression.DictMember], in scope: Scope) throws(TemplateError) -> Value {
        var pairs: [(key: Value, value: Value)] = []
        for member in members {
            pairs.append((try evaluate(member.key, in: scope), try evaluate(member.value, in: scope)))
        }
        return .dict(try Dict(pairs))
    }

    private func chain(
        _ first: Expression, _ operands: [Expression.Operand], in scope: Scope
    ) throws(TemplateError) -> Value {
        var value = try evaluate(first, in: scope)
        for operand in operands {
            let other = try evaluate(operand.expression, in: scope)
            value = try arithmetic(operand.operation, value, other)
        }
        return value
    }

    private func compare(
        _ first: Expression, _ operands: [Expression.Operand], in scope: Scope
    ) throws(TemplateError) -> Value {
        var left = try evaluate(first, in: scope)
        for operand in operands {
            let right = try evaluate(operand.expression, in: scope)
            guard try compare(left, operand.operation, right) else { return .bool(false) }
            left = right
        }
        return .bool(true)
    }

    /// One comparison.
    func compare(_ left: Value, _ operation: Operator, _ right: Value) throws(TemplateError) -> Bool {
        try charge(min(left.extent.weight, right.extent.weight))
        switch operation {
        case .equal: return Value.equal(left, right)
        case .notEqual: return !Value.equal(left, right)
        case .less: return try Value.less(left, right)
        case .greater: return try Value.less(right, left, ">")
        case .lessOrEqual:
            let isEqual = left.number != nil && right.number != nil && Value.equal(left, right)
            if isEqual { return true }
            if left.number != nil, right.number != nil { return try Value.less(left, right, "<=") }
            return !(try Value.less(right, left, "<="))
        case .greaterOrEqual: return try compare(right, .lessOrEqual, left)
        case .isIn: return try contains(right, left)
        case .isNotIn: return !(try contains(right, left))
        default: return false
        }
    }

    /// Python's `in`.
    func contains(_ container: Value, _ element: Value) throws(TemplateError) -> Bool {
        switch container.unmarked {
        case .undefined: return false
        case .string(let text):
            guard let part = element.text else {
                throw .runtime("'in <string>' requires string as left operand, not \(element.typeName)")
            }
            try charge(container)
            return PythonText.contains(text, part)
        case .dict(let dict): return try dict.value(of: element) != nil
        default:
            for candidate in try elements(of: container) {
                try charge(min(candidate.extent.weight, element.extent.weight))
                if Value.equal(candidate, element) { return true }
            }
            return false
        }
    }

    private func logic(_ parts: [Expression], until end: Bool, in scope: Scope) throws(TemplateError) -> Value {
        var value = Value.none
        for part in parts {
            value = try evaluate(part, in: scope)
            if value.isTrue == end { break }
        }
        return value
    }

    private func concatenate(_ parts: [Expression], in scope: Scope) throws(TemplateError) -> Value {
        var text = ""
        for part in parts {
            text += try printed(try evaluate(part, in: scope))
            if text.utf8.count > limits.outputBytes { break }
        }
        return try made(text)
    }

    /// What a walk through a value meets.
    func elements(of value: Value) throws(TemplateError) -> [Value] {
        switch value.unmarked {
        case .undefined: return []
        case .list(let list), .tuple(let list): return list.elements
        case .dict(let dict): return dict.keys
        case .iterable(let iterable): return iterable.next()
        case .string(let text):
            try charge(text.utf8.count)
            return text.unicodeScalars.map { .string(String($0)) }
        default: throw .runtime("'\(value.typeName)' object is not iterable")
        }
    }
}
