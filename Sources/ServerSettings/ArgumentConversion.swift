internal import JSON

extension Flag {
    /// Turns the words of one use into a value, as argparse's types do.
    func convert(_ words: [String]) throws(UsageError) -> ArgumentValue {
        switch kind {
        case .toggle:
            return .bool(true)
        case .list:
            return .list(words.map(ArgumentValue.text))
        case .optionalText:
            return .text(words.first ?? "")
        default:
            guard let word = words.first else { throw .missingValue(flag: spellings) }
            return try convert(word)
        }
    }

    private func convert(_ word: String) throws(UsageError) -> ArgumentValue {
        switch kind {
        case .integer(let bounds):
            return try checked(PythonNumber.integer(word), word, bounds)
        case .count(let bounds):
            return try checked(PythonNumber.count(word), word, bounds)
        case .number(let bounds):
            guard let value = PythonNumber.float(word) else {
                throw .invalidValue(flag: spellings, type: kind.typeName, value: word)
            }
            guard bounds.contains(value) else {
                throw .outOfRange(
                    flag: spellings, value: word, rule: "is not between \(bounds.lowerBound) and \(bounds.upperBound)")
            }
            return .number(value)
        case .choice(let words):
            guard words.contains(word) else {
                throw .invalidChoice(flag: spellings, value: word, choices: words)
            }
            return .text(word)
        case .jsonObject:
            try checkIsObject(word)
            return .text(word)
        case .coreGroups:
            if let problem = CoreGroups.problem(with: word) {
                throw .outOfRange(flag: spellings, value: word, rule: problem)
            }
            return .text(word)
        default:
            return .text(word)
        }
    }

    private func checkIsObject(_ text: String) throws(UsageError) {
        let value: JSONValue
        do throws(JSONError) {
            value = try JSON.parse(text)
        } catch {
            throw .outOfRange(flag: spellings, value: text, rule: "is not a JSON object: \(error)")
        }
        guard value.objectValue != nil else {
            throw .outOfRange(flag: spellings, value: text, rule: "is not a JSON object but a JSON \(value.kindName)")
        }
    }

    private func checked(_ value: Int?, _ word: String, _ bounds: ClosedRange<Int>) throws(UsageError) -> ArgumentValue
    {
        guard let value else { throw .invalidValue(flag: spellings, type: kind.typeName, value: word) }
        guard bounds.contains(value) else {
            throw .outOfRange(
                flag: spellings, value: word, rule: "is not between \(bounds.lowerBound) and \(bounds.upperBound)")
        }
        return .integer(value)
    }
}

/// Numbers as Python's constructors and SGLang's suffixes write them.
enum PythonNumber {
    /// `int(text)`: an optional sign, digits, single underscores between them, blanks around.
    static func integer(_ text: String) -> Int? {
        let body = text.trimmingBlanks()
        guard body.last != "_", !body.contains("__") else { return nil }
        let unsigned = body.first == "-" || body.first == "+" ? body.dropFirst() : body
        guard unsigned.first != "_" else { return nil }
        return Int(body.filter { $0 != "_" })
    }

    /// `float(text)` for decimal numbers; "nan" and "inf" are values that no flag can use.
    static func float(_ text: String) -> Double? {
        let body = text.trimmingBlanks()
        guard body.allSatisfy({ "0123456789+-.eE_".contains($0) }) else { return nil }
        guard let value = Double(body.filter { $0 != "_" }), value.isFinite else { return nil }
        return value
    }

    /// A whole number with an optional suffix: k, M, G, T may follow a fraction (25.6k), Ki, Mi, Gi, Ti may not.
    static func count(_ text: String) -> Int? {
        let binary = ["Ki": 10, "Mi": 20, "Gi": 30, "Ti": 40]
        let decimal: [Character: Double] = ["k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12]
        if let shift = binary[String(text.suffix(2))] {
            guard let value = integer(String(text.dropLast(2))) else { return nil }
            let product = value.multipliedReportingOverflow(by: 1 << shift)
            return product.overflow ? nil : product.partialValue
        }
        if let last = text.last, let factor = decimal[last] {
            guard let value = float(String(text.dropLast())) else { return nil }
            return Int(exactly: (value * factor).rounded(.towardZero))
        }
        return integer(text)
    }
}

extension String {
    /// The text without blanks at its ends.
    fileprivate func trimmingBlanks() -> Substring {
        var body = self[...]
        while body.first?.isWhitespace == true { body.removeFirst() }
        while body.last?.isWhitespace == true { body.removeLast() }
        return body
    }
}
