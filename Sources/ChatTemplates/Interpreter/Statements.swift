// Running statements.
extension Interpreter {
    /// Runs statements in a scope until one of them ends a turn of a loop.
    func run(_ statements: [Statement], in scope: Scope) throws(TemplateError) -> Flow {
        try deeper { () throws(TemplateError) in
            for statement in statements {
                let flow = try run(statement, in: scope)
                if flow != .next { return flow }
            }
            return .next
        }
    }

    private func run(_ statement: Statement, in scope: Scope) throws(TemplateError) -> Flow {
        try charge()
        line = statement.line
        switch statement.kind {
        case .text(let text): try write(text)
        case .output(let expression):
            let value = try evaluate(expression, in: scope)
            try write(try printed(value))
        case .conditional(let branches, let otherwise):
            for branch in branches where try evaluate(branch.test, in: scope).isTrue {
                return try run(branch.body, in: scope)
            }
            return try run(otherwise, in: scope)
        case .loop(let loop): try run(loop, in: scope)
        case .assign(let target, let expression): try assign(try evaluate(expression, in: scope), to: target, in: scope)
        case .assignBlock(let target, let filter, let body): return try assignBlock(target, filter, body, in: scope)
        case .macro(let definition):
            guard let name = definition.name else { break }
            try capture(scope)
            scope.set(name, .macro(Macro(definition, scope)))
        case .callBlock(let call, let definition): try runCallBlock(call, definition, in: scope)
        case .filterBlock(let filter, let body):
            let (text, flow) = try collect(body, in: Scope(scope))
            if flow != .next { return flow }
            try write(try printed(try evaluate(filter, in: scope, block: .string(text))))
        case .with(let bindings, let body): return try runWith(bindings, body, in: scope)
        case .scope(let body, let isRoot): return try run(body, in: Scope(isRoot ? outermost(scope) : scope))
        case .breakLoop: return .breaksLoop
        case .continueLoop: return .continuesLoop
        }
        return .next
    }

    /// What an output writes.
    func printed(_ value: Value) throws(TemplateError) -> String {
        switch value {
        case .string(let text), .markup(let text): return text
        case .namespace(let number):
            let space = namespaces[number]
            let members = Value.dict(try Dict(texts: space.names, values: space.values))
            try charge(members)
            return "<Namespace \(members.represented)>"
        default:
            try charge(value)
            return value.printed
        }
    }

    /// The scope of the template's own statements.
    private func outermost(_ scope: Scope) -> Scope {
        var scope = scope
        while let parent = scope.parent, parent !== root { scope = parent }
        return scope
    }

    // MARK: Loops

    private func run(_ loop: Statement.Loop, in scope: Scope) throws(TemplateError) {
        let iterable = try evaluate(loop.iterable, in: scope)
        try run(loop, over: iterable, level: 0, in: scope)
    }

    /// Runs a loop over a value; the outer scope is the one in which the loop stands.
    func run(_ loop: Statement.Loop, over iterable: Value, level: Int, in scope: Scope) throws(TemplateError) {
        var elements = try self.elements(of: iterable)
        try charge(elements.count)
        if let filter = loop.filter { elements = try filtered(elements, by: filter, of: loop, in: scope) }
        let state = try LoopState(elements, level: level, recursion: loop.isRecursive ? (loop, scope) : nil)
        for (index, element) in elements.enumerated() {
            try charge()
            state.index = index
            let inner = Scope(scope)
            inner.set(NameTable.loop, .loop(state))
            try assign(element, to: loop.target, in: inner)
            if try run(loop.body, in: inner) == .breaksLoop { break }
        }
        if elements.isEmpty, !loop.otherwise.isEmpty { _ = try run(loop.otherwise, in: Scope(scope)) }
    }

    private func filtered(
        _ elements: [Value], by filter: Expression, of loop: Statement.Loop, in scope: Scope
    ) throws(TemplateError) -> [Value] {
        var kept: [Value] = []
        for element in elements {
            let inner = Scope(scope)
            try assign(element, to: loop.target, in: inner)
            if try evaluate(filter, in: inner).isTrue { kept.append(element) }
        }
        return kept
    }

    // MARK: Assignments

    /// Assigns a value to a name, to a namespace's attribute, or its elements to several.
    func assign(_ value: Value, to target: Target, in scope: Scope) throws(TemplateError) {
        switch target {
        case .name(let name): scope.set(name, value)
        case .attribute(let name, let attribute):
            guard case .namespace(let number)? = scope.find(name) else {
                throw .runtime("cannot assign attribute on non-namespace object")
            }
            try set(attribute, of: number, to: value)
        case .tuple(let targets):
            let elements = try self.elements(of: value)
            guard elements.count >= targets.count else {
                throw .runtime("not enough values to unpack (expected \(targets.count), got \(elements.count))")
            }
            guard elements.count == targets.count else {
                throw .runtime("too many values to unpack (expected \(targets.count))")
            }
            for (target, element) in zip(targets, elements) { try assign(element, to: target, in: scope) }
        }
    }

    private func set(_ attribute: String, of number: Int, to value: Value) throws(TemplateError) {
        guard !attribute.hasPrefix("_") else {
            throw .runtime("chat templates cannot store underscore-prefixed attributes on a namespace")
        }
        if let place = namespaces[number].names.firstIndex(where: { PythonText.equal($0, attribute) }) {
            namespaces[number].values[place] = value
        } else {
            namespaces[number].names.append(attribute)
            namespaces[number].values.append(value)
        }
    }

    private func assignBlock(
        _ target: Target, _ filter: Expression?, _ body: [Statement], in scope: Scope
    ) throws(TemplateError) -> Flow {
        let (text, flow) = try collect(body, in: Scope(scope))
        if flow != .next { return flow }
        let value = try filter.map { (filter) throws(TemplateError) in
            try evaluate(filter, in: scope, block: .string(text))
        }
        try assign(value ?? .string(text), to: target, in: scope)
        return .next
    }

    private func runWith(
        _ bindings: [Statement.Binding], _ body: [Statement], in scope: Scope
    ) throws(TemplateError) -> Flow {
        let inner = Scope(scope)
        for binding in bindings {
            try assign(try evaluate(binding.value, in: scope), to: binding.target, in: inner)
        }
        return try run(body, in: inner)
    }

    private func runCallBlock(
        _ call: Expression, _ definition: MacroDefinition, in scope: Scope
    ) throws(TemplateError) {
        guard case .call(let callee, let list) = call.kind else { return }
        try capture(scope)
        var arguments = try self.arguments(list, in: scope)
        arguments.named.append(("caller", .macro(Macro(definition, scope))))
        let result = try deeper { () throws(TemplateError) in
            try self.call(callee, arguments, in: scope)
        }
        try write(try printed(result))
    }
}
