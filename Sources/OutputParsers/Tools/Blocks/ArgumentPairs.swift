internal import JSON

/// Blocks with arguments between `<arg_key>` and `<arg_value>`, as GLM and its kin write them.
enum ArgumentPairs {
    /// Keys and values in order. Between a key's end and its value only space may stand.
    static func pairs(in text: String) -> [(key: String, value: String)] {
        var rest = PendingText(text)
        var pairs: [(key: String, value: String)] = []
        while let (_, key) = element("arg_key", &rest) {
            var behind = rest
            behind.dropSpace()
            guard behind.begins(with: "<arg_value>") else { continue }
            guard let (_, value) = element("arg_value", &behind) else { break }
            pairs.append((key, value))
            rest = behind
        }
        return pairs
    }

    /// The next element of that name: what stands in front of it, and its text.
    private static func element(_ name: String, _ rest: inout PendingText) -> (before: String, text: String)? {
        guard let start = rest.place(of: "<\(name)>") else { return nil }
        let open = start + name.utf8.count + 2
        guard let end = rest.place(of: "</\(name)>", from: open) else { return nil }
        let element = (rest.text(0..<start), rest.text(open..<end))
        rest.drop(end + name.utf8.count + 3)
        return element
    }

    /// The call of a name and arguments; none where no tool has that name.
    private static func call(
        _ name: String, _ pairs: [(key: String, value: String)], _ tools: ToolTable,
        _ convert: (String, JSONValue?) -> PythonValue
    ) -> [ToolCall] {
        guard tools.place(of: name) != nil else { return [] }
        let properties = tools.properties(of: name)
        var arguments = PythonDict()
        for (key, value) in pairs { arguments[key.stripped] = convert(value, properties[key.stripped]) }
        return [tools.call(name, arguments)].compactMap(\.self)
    }

    /// GLM 4.5: the name up to a line break, which may also be written `\n`.
    static func glm45(_ block: String, _ tools: ToolTable) -> [ToolCall] {
        guard let (name, rest) = nameLine(block) else { return [] }
        return call(name, pairs(in: rest), tools) { ValueConversion.glm($0, SchemaTypes.primary(of: $1)) }
    }

    /// Ling 3: the same, or without a line break.
    static func ling3(_ block: String, _ tools: ToolTable) -> [ToolCall] {
        var block = PendingText(block)
        block.dropSpace()
        let text = block.text
        let line = nameLine(text)
        let tag = text.split(at: "<arg_key>")
        if let tag, line == nil || tag.before.utf8.count < line!.name.utf8.count {
            return call(tag.before, pairs(in: text), tools) { ValueConversion.glm($0, SchemaTypes.primary(of: $1)) }
        }
        return call(line?.name ?? text, pairs(in: text), tools) {
            ValueConversion.glm($0, SchemaTypes.primary(of: $1))
        }
    }

    private static func nameLine(_ block: String) -> (name: String, rest: String)? {
        let breaks = [block.split(at: "\n"), block.split(at: "\\n")].compactMap(\.self)
        return breaks.min { $0.before.utf8.count < $1.before.utf8.count }.map { ($0.before, $0.after) }
    }

    /// GLM 4.7: the name up to the first argument.
    static func glm47(_ block: String, _ tools: ToolTable) -> [ToolCall] {
        let name = block.split(at: "<arg_key>")?.before ?? block
        return call(name, pairs(in: block), tools) { ValueConversion.glm47($0, SchemaTypes.only(of: $1)) }
    }

    /// Poolside: the name up to a line break or the first argument; values keep all but one line break at each end.
    static func poolside(_ block: String, _ tools: ToolTable) -> [ToolCall] {
        let ends = ["\n", "<arg_key>"].compactMap { block.split(at: $0)?.before }
        let name = (ends.min { $0.utf8.count < $1.utf8.count } ?? block).stripped
        return call(name, pairs(in: block), tools) { text, schema in
            let text = text.removing(prefix: "\n", suffix: "\n")
            let type = schema?["type"]?.stringValue?.lowercased() ?? ""
            if ["string", "str", "text", "enum"].contains(type) { return .string(text) }
            return type.isEmpty ? JSONReader.value(of: text) ?? .string(text) : ValueConversion.jsonOrLiteral(text)
        }
    }

    /// IQuest: the same as GLM 4.5 on one line; anything but arguments behind the name breaks the block.
    static func iquest(_ block: String, _ tools: ToolTable) -> [ToolCall]? {
        let name = (block.split(at: "<arg_key>")?.before ?? block).stripped
        let pairs = pairs(in: block)
        guard !name.isEmpty, remainder(of: block, name).stripped.isEmpty, pairs.allSatisfy({ !$0.key.stripped.isEmpty })
        else { return nil }
        return call(name, pairs, tools) { text, schema in
            let type = SchemaTypes.primary(of: schema)
            return type == "string" ? .string(text) : ValueConversion.glm(text, type)
        }
    }

    /// What is neither the name nor an argument.
    private static func remainder(of block: String, _ name: String) -> String {
        guard var rest = block.split(at: "<arg_key>").map({ PendingText("<arg_key>" + $0.after) }) else { return "" }
        var left = ""
        while let (before, _) = element("arg_key", &rest) {
            left += before
            guard let (gap, _) = element("arg_value", &rest) else { return "value" }
            left += gap
        }
        return left + rest.text
    }

    /// Hunyuan: the name up to its separator or the first argument.
    static func hunyuan(_ block: String, _ tools: ToolTable) -> [ToolCall] {
        let name =
            ["<tool_sep>", "<arg_key>"].compactMap { block.split(at: $0)?.before }
            .min { $0.utf8.count < $1.utf8.count } ?? block
        return call(name.stripped, pairs(in: block), tools) { ValueConversion.hunyuan($0, hunyuanTypes(of: $1)) }
    }

    private static func hunyuanTypes(of schema: JSONValue?) -> Set<String> {
        var options: [JSONValue?] = [nil]
        if schema?["type"] != nil {
            options = [schema]
        } else if let alternatives = (schema?["anyOf"] ?? schema?["oneOf"])?.arrayValue {
            options = alternatives
        }
        let aliases = [
            "str": "string", "text": "string", "varchar": "string", "char": "string", "enum": "string",
            "bool": "boolean", "binary": "boolean", "float": "number", "double": "number", "list": "array",
            "dict": "object", "map": "object",
        ]
        let names = options.map { option -> String in
            let name = option?["type"]?.stringValue ?? "string"
            let lower = name.lowercased()
            if let alias = aliases[name] { return alias }
            if ["int", "uint", "long", "short", "unsigned"].contains(where: { lower.utf8.starts(with: $0.utf8) }) {
                return "integer"
            }
            return ["num", "float"].contains { lower.utf8.starts(with: $0.utf8) } ? "number" : name
        }
        return Set(names).subtracting(["null"])
    }
}

extension PendingText {
    /// Removes ASCII space, and the two characters `\n`, from the front.
    mutating func dropSpace() {
        while !isEmpty {
            if 0x09...0x0D ~= self[0] || self[0] == 0x20 {
                drop(1)
            } else if begins(with: "\\n") {
                drop(2)
            } else {
                break
            }
        }
    }
}
