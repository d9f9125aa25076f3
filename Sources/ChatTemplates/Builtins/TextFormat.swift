// `str.format` and `%`.
extension Interpreter {
    /// Python's `format % values`.
    func formatted(_ format: String, with value: Value) throws(TemplateError) -> String {
        let scalars = Array(format.unicodeScalars)
        var values: [Value] = if case .tuple(let list) = value { list.elements } else { [value] }
        let isMapping = if case .dict = value { true } else { false }
        let expected = values.count
        values.reverse()
        var text = ""
        var place = 0
        var usesNames = false
        while place < scalars.count {
            guard scalars[place] == "%" else {
                text.unicodeScalars.append(scalars[place])
                place += 1
                continue
            }
            place += 1
            guard place < scalars.count else { throw .runtime("incomplete format") }
            if scalars[place] == "%" {
                text += "%"
                place += 1
                continue
            }
            var operand: Value?
            if scalars[place] == "(" {
                guard case .dict(let dict) = value, let end = scalars[place...].firstIndex(of: ")") else {
                    throw .runtime("format requires a mapping")
                }
                usesNames = true
                operand = dict[String(scalars[(place + 1)..<end])]
                guard operand != nil else { throw .runtime("the format names a missing key") }
                place = end + 1
            }
            var specification = FormatSpecification(percent: scalars, &place)
            guard place < scalars.count else { throw .runtime("incomplete format") }
            specification.type = scalars[place]
            place += 1
            guard let operand = operand ?? values.popLast() else {
                throw .runtime("not enough arguments for format string")
            }
            text += try percentText(operand, specification)
            if text.utf8.count > limits.outputBytes { throw .limit("a text of more than \(limits.outputBytes) bytes") }
        }
        if !values.isEmpty, !usesNames, !(isMapping && values.count == expected) {
            throw .runtime("not all arguments converted during string formatting")
        }
        return text
    }

    private func percentText(
        _ value: Value, _ specification: FormatSpecification
    ) throws(TemplateError) -> String {
        try checkLength(specification.width)
        switch specification.type {
        case "s": return try specification.padded(truncating: try printed(value))
        case "r":
            try charge(value)
            return try specification.padded(truncating: value.represented)
        case "d", "i", "u", "x", "X", "o", "e", "E", "f", "F", "g", "G":
            guard value.number != nil else {
                throw .runtime("a number is required in '%\(specification.type ?? "d")', not \(value.typeName)")
            }
            var specification = specification
            if let type = specification.type, "diu".unicodeScalars.contains(type) {
                specification.type = "d"
                if case .float(let number) = value {
                    guard let whole = Int(exactly: number.rounded(.towardZero)) else {
                        throw .runtime("an integer beyond 64 bits")
                    }
                    return try specification.text(of: .int(whole))
                }
            }
            return try specification.text(of: value)
        default: throw .runtime("unsupported format character '\(specification.type ?? "?")'")
        }
    }

    /// `str.format`: `{}`, `{0}`, `{name}`, with `!r`, `!s` and a specification, without attributes of fields.
    func format(_ format: String, _ arguments: Arguments) throws(TemplateError) -> String {
        let scalars = Array(format.unicodeScalars)
        var text = ""
        var place = 0
        var next = 0
        while place < scalars.count {
            let scalar = scalars[place]
            guard scalar == "{" || scalar == "}" else {
                text.unicodeScalars.append(scalar)
                place += 1
                continue
            }
            if place + 1 < scalars.count, scalars[place + 1] == scalar {
                text.unicodeScalars.append(scalar)
                place += 2
                continue
            }
            guard scalar == "{", let end = scalars[place...].firstIndex(of: "}") else {
                throw .runtime("single '\(scalar)' encountered in format string")
            }
            text += try field(String(scalars[(place + 1)..<end]), &next, arguments)
            if text.utf8.count > limits.outputBytes { throw .limit("a text of more than \(limits.outputBytes) bytes") }
            place = end + 1
        }
        return text
    }

    private func field(_ field: String, _ next: inout Int, _ arguments: Arguments) throws(TemplateError) -> String {
        let parts = PythonText.split(field, ":", limit: 1, fromRight: false)
        let names = PythonText.split(parts[0], "!", limit: 1, fromRight: false)
        var value: Value?
        if names[0].isEmpty {
            value = next < arguments.positional.count ? arguments.positional[next] : nil
            next += 1
        } else if let place = Int(names[0]) {
            value = arguments.positional.indices.contains(place) ? arguments.positional[place] : nil
        } else {
            value = arguments.named.first { $0.name == names[0] }?.value
        }
        guard var value else { throw .runtime("the format's field '\(names[0])' has no argument") }
        if names.count > 1 {
            try charge(value)
            value = .string(names[1] == "r" ? value.represented : value.printed)
        }
        let specification = try FormatSpecification(parts.count > 1 ? parts[1] : "")
        try checkLength(specification.width)
        if value.number == nil || (specification.isPlain && value.typeName == "bool") {
            return try specification.padded(truncating: try printed(value))
        }
        return try specification.text(of: value)
    }
}
