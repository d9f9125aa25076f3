/// Kimi K3: `call` channels with `argument` channels inside of them.
enum ChannelCalls {
    /// The call of a block that has lost `<|open|>call` and its end.
    static func kimi(_ block: String, _ tools: ToolTable) -> [ToolCall] {
        guard let (head, body) = block.split(at: "<|sep|>"), let attributes = attributes(of: head),
            let name = attributes["tool"]
        else { return [] }
        var arguments = PythonDict()
        for argument in body.enclosed(by: "<|open|>argument", KimiChannel.argument.close) {
            guard let (head, value) = argument.split(at: "<|sep|>"), let attributes = Self.attributes(of: head) else {
                continue
            }
            let isText = (attributes["type"] ?? "string") == "string"
            arguments[attributes["key"] ?? ""] = isText ? .string(value) : JSONReader.value(of: value) ?? .string(value)
        }
        return [tools.call(name, arguments)].compactMap(\.self)
    }

    /// `key="value"`, any number of times, behind space; nil where there is no space.
    private static func attributes(of head: String) -> [String: String]? {
        guard head.unicodeScalars.first?.isPythonSpace ?? false else { return nil }
        var found: [String: String] = [:]
        var rest = head
        while let (before, after) = rest.split(at: "=\""), let (value, behind) = after.split(at: "\"") {
            let key = before.unicodeScalars.reversed().prefix {
                $0.properties.isAlphabetic || $0.properties.numericType != nil || $0 == "_"
            }
            if !key.isEmpty {
                found[String(String.UnicodeScalarView(key.reversed()))] = text(of: value)
            }
            rest = behind
        }
        return found
    }

    private static func text(of value: String) -> String {
        value.replacing("&quot;", with: "\"").replacing("&amp;", with: "&")
    }
}
