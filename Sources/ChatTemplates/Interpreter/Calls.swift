private import Values

/// Arguments of a call, evaluated.
struct Arguments {
    var positional: [Value] = []
    var named: [(name: String, value: Value)] = []

    var isEmpty: Bool { positional.isEmpty && named.isEmpty }

    /// The arguments in the order of a function's parameters, nil where one is left out.
    func bound(
        to parameters: [String], of function: String, required: Int = 0
    ) throws(TemplateError) -> [Value?] {
        guard positional.count <= parameters.count else {
            throw .runtime("\(function) takes at most \(parameters.count) arguments, \(positional.count) are given")
        }
        var values: [Value?] = positional.map { $0 }
        values.append(contentsOf: Array(repeating: nil, count: parameters.count - positional.count))
        for (name, value) in named {
            guard let place = parameters.firstIndex(of: name) else {
                throw .runtime("\(function) got an unexpected keyword argument '\(name)'")
            }
            guard values[place] == nil else { throw .runtime("\(function) got multiple values for argument '\(name)'") }
            values[place] = value
        }
        for place in 0..<required where values[place] == nil {
            throw .runtime("\(function) misses the argument '\(parameters[place])'")
        }
        return values
    }
}

// Calling macros, methods and functions.
extension Interpreter {
    func arguments(_ list: ArgumentList, in scope: Scope) throws(TemplateError) -> Arguments {
        var arguments = Arguments()
        for expression in list.positional {
            arguments.positional.append(try evaluate(expression, in: scope).unmarked)
        }
        if let spread = list.spread {
            let elements = try self.elements(of: try evaluate(spread, in: scope))
            try charge(elements.count)
            arguments.positional.append(contentsOf: elements)
        }
        for keyword in list.named {
            arguments.named.append((keyword.name, try evaluate(keyword.value, in: scope).unmarked))
        }
        if let spread = list.namedSpread {
            guard case .dict(let dict) = try evaluate(spread, in: scope) else {
                throw .runtime("argument after ** must be a mapping")
            }
            for (key, value) in zip(dict.keys, dict.values) {
                guard case .string(let name) = key else { throw .runtime("keywords must be strings") }
                guard !arguments.named.contains(where: { $0.name == name }) else {
                    throw .runtime("got multiple values for keyword argument '\(name)'")
                }
                try charge()
                arguments.named.append((name, value))
            }
        }
        return arguments
    }

    /// Calls what an expression names; a method without making a value of it first.
    func call(_ callee: Expression, _ arguments: Arguments, in scope: Scope) throws(TemplateError) -> Value {
        let result = try invoke(callee, arguments, in: scope)
        // Back here; an error stays on the line, perhaps inside a macro, on which it arose.
        line = callee.line
        return result
    }

    private func invoke(_ callee: Expression, _ arguments: Arguments, in scope: Scope) throws(TemplateError) -> Value {
        if case .attribute(let value, let name) = callee.kind {
            let receiver = try evaluate(value, in: scope).unmarked
            if MethodNames.has(name, receiver), !MethodNames.changes(name, receiver) {
                line = callee.line
                return try method(name, of: receiver, arguments)
            }
            return try call(try attribute(name, of: receiver), arguments)
        }
        return try call(try evaluate(callee, in: scope), arguments)
    }

    /// Calls a value.
    func call(_ callee: Value, _ arguments: Arguments) throws(TemplateError) -> Value {
        switch callee {
        case .undefined(let reason): throw .runtime(reason)
        case .macro(let macro): return .string(try call(macro, arguments))
        case .method(let method): return try self.method(method.name, of: method.receiver, arguments)
        case .function(let function): return try call(function, arguments)
        case .loop(let loop): return try recur(loop, arguments)
        default: throw .runtime("'\(callee.typeName)' object is not callable")
        }
    }

    // MARK: Macros

    private func call(_ macro: Macro, _ arguments: Arguments) throws(TemplateError) -> String {
        let definition = macro.definition
        let scope = Scope(macro.scope)
        var named = arguments.named
        for (place, parameter) in definition.parameters.enumerated() {
            if place < arguments.positional.count {
                scope.set(parameter.name, arguments.positional[place])
            } else if let found = named.firstIndex(where: { $0.name == parameter.text }) {
                scope.set(parameter.name, named.remove(at: found).value)
            } else if let preset = parameter.preset {
                scope.set(parameter.name, try evaluate(preset, in: scope))
            } else {
                scope.set(parameter.name, .undefined("parameter '\(parameter.text)' was not provided"))
            }
        }
        try setSpecials(of: definition, arguments, &named, in: scope)
        return try collect(definition.body, in: scope).text
    }

    /// Sets `caller`, `kwargs` and `varargs`, and refuses arguments that no parameter takes.
    private func setSpecials(
        of definition: MacroDefinition, _ arguments: Arguments, _ named: inout [(name: String, value: Value)],
        in scope: Scope
    ) throws(TemplateError) {
        if definition.specials.contains(.caller) {
            let place = named.firstIndex { $0.name == "caller" }
            scope.set(NameTable.caller, place.map { named.remove(at: $0).value } ?? .undefined("no caller defined"))
        }
        if definition.specials.contains(.kwargs) {
            scope.set(NameTable.kwargs, .dict(try Dict(named.map { (.string($0.name), $0.value) })))
        } else if let first = named.first {
            throw .runtime("macro '\(definition.label)' takes no keyword argument '\(first.name)'")
        }
        let surplus = arguments.positional.dropFirst(definition.parameters.count)
        if definition.specials.contains(.varargs) {
            scope.set(NameTable.varargs, .tuple(try List(Array(surplus))))
        } else if !surplus.isEmpty {
            throw .runtime(
                "macro '\(definition.label)' takes not more than \(definition.parameters.count) argument(s)")
        }
    }

    private func recur(_ loop: LoopState, _ arguments: Arguments) throws(TemplateError) -> Value {
        guard let (statement, scope) = loop.recursion else {
            throw .runtime("the loop must have the 'recursive' marker to be called recursively")
        }
        guard arguments.positional.count == 1, arguments.named.isEmpty else {
            throw .runtime("a recursive loop is called with one argument")
        }
        let text = try collecting { () throws(TemplateError) in
            try run(statement, over: arguments.positional[0], level: loop.level + 1, in: scope)
        }
        return .string(text)
    }

    // MARK: Functions

    private func call(_ function: GlobalFunction, _ arguments: Arguments) throws(TemplateError) -> Value {
        let name = function.rawValue
        switch function {
        case .raiseException:
            let message = try arguments.bound(to: ["message"], of: name, required: 1)[0] ?? .none
            throw TemplateError(.raised, try printed(message))
        case .strftimeNow:
            guard case .string(let format)? = try arguments.bound(to: ["format"], of: name, required: 1)[0] else {
                throw .runtime("strftime_now needs a text")
            }
            return try made(clock.strftime(format))
        case .range: return try range(arguments)
        case .dict: return .dict(try dictionary(arguments))
        case .namespace:
            let members = try dictionary(arguments)
            var space = Namespace()
            for (key, value) in zip(members.keys, members.values) {
                guard case .string(let text) = key, !text.hasPrefix("_") else {
                    throw .runtime("chat templates cannot store underscore-prefixed attributes on a namespace")
                }
                space.names.append(text)
                space.values.append(value)
            }
            namespaces.append(space)
            return .namespace(namespaces.count - 1)
        case .cycler, .joiner, .lipsum: throw .runtime("'\(name)' is not supported in chat templates")
        }
    }

    private func range(_ arguments: Arguments) throws(TemplateError) -> Value {
        var bounds: [Int] = []
        for value in arguments.positional {
            guard let number = value.integer else {
                throw .runtime("'\(value.typeName)' object cannot be interpreted as an integer")
            }
            bounds.append(number)
        }
        guard (1...3).contains(bounds.count), arguments.named.isEmpty else {
            throw .runtime("range takes one to three integers")
        }
        let (start, stop) = bounds.count == 1 ? (0, bounds[0]) : (bounds[0], bounds[1])
        let step = bounds.count == 3 ? bounds[2] : 1
        guard step != 0 else { throw .runtime("range() arg 3 must not be zero") }
        var numbers: [Value] = []
        var next = start
        while step > 0 ? next < stop : next > stop {
            guard numbers.count < TemplateLimits.range else {
                throw .limit("a range of more than \(TemplateLimits.range) numbers")
            }
            numbers.append(.int(next))
            let (sum, overflow) = next.addingReportingOverflow(step)
            if overflow { break }
            next = sum
        }
        try charge(numbers.count)
        return .iterable(Iterable(.range, try List(numbers)))
    }

    /// What `dict(…)` makes of its arguments.
    private func dictionary(_ arguments: Arguments) throws(TemplateError) -> Dict {
        guard arguments.positional.count <= 1 else { throw .runtime("dict expected at most 1 argument") }
        var members: [(key: Value, value: Value)] = []
        switch arguments.positional.first {
        case nil: break
        case .dict(let dict)?: members = Array(zip(dict.keys, dict.values)).map { ($0.0, $0.1) }
        case let value?:
            for pair in try elements(of: value) {
                let parts = try elements(of: pair)
                guard parts.count == 2 else { throw .runtime("a dictionary is made of pairs") }
                members.append((parts[0], parts[1]))
            }
        }
        try charge(members.count)
        for (name, value) in arguments.named { members.append((.string(name), value)) }
        return try Dict(members)
    }
}
