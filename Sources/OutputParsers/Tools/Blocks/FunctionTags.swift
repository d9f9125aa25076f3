internal import JSON

/// MiniCPM: `<function name="…"><param name="…">…</param></function>`, checked against the tool's schema.
enum FunctionTags {
    /// The call of a block that has lost `<function` and its end; nil where it is none that its tool takes.
    static func minicpm(_ block: String, _ tools: ToolTable) -> [ToolCall]? {
        guard let (head, body) = block.split(at: ">"), let name = attribute(in: head)?.stripped,
            tools.place(of: name) != nil
        else { return nil }
        let properties = tools.properties(of: name)
        var arguments = PythonDict()
        for parameter in body.enclosed(by: "<param", "</param>") {
            guard let (tag, value) = parameter.split(at: ">"), let key = attribute(in: tag), !key.isEmpty,
                properties.isEmpty || properties[key] != nil, arguments[key] == nil
            else { return nil }
            let text = text(of: value).stripped
            arguments[key] = properties[key]?["type"] == "string" ? .string(text) : ValueConversion.jsonOrLiteral(text)
        }
        let required = tools.parameters(of: name)?["required"]?.arrayValue ?? []
        guard required.allSatisfy({ $0.stringValue.map { arguments[$0] != nil } ?? true }) else { return nil }
        return [tools.call(name, arguments)].compactMap(\.self)
    }

    private static func attribute(in tag: String) -> String? {
        guard let (_, rest) = tag.split(at: "name="), let quote = rest.utf8.first, quote == 0x22 || quote == 0x27 else {
            return nil
        }
        return rest.removing(prefix: String(UnicodeScalar(quote))).split(at: String(UnicodeScalar(quote)))?.before
    }

    private static func text(of value: String) -> String {
        if let (before, rest) = value.split(at: "<![CDATA["), let (data, after) = rest.split(at: "]]>") {
            return HTMLEntities.replaced(in: before) + data + HTMLEntities.replaced(in: after)
        }
        return HTMLEntities.replaced(in: value)
    }
}
