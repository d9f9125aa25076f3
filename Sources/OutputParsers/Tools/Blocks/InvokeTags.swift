internal import JSON

/// Blocks with tags around each call and each argument, as many families write them.
enum InvokeTags {
    /// MiMo: one `<function=…>` a block; entities of HTML stand for their signs. nil for a tool that there is not.
    static func mimo(_ block: String, _ tools: ToolTable) -> [ToolCall]? {
        guard let (name, body) = element("<function=", in: block, close: "</function>") else { return [] }
        guard tools.place(of: name.stripped) != nil else { return nil }
        let properties = tools.properties(of: name.stripped)
        var arguments = PythonDict()
        for piece in body.enclosed(by: "<parameter=", "</parameter>") {
            guard let (key, value) = piece.split(at: ">"), !key.utf8.isEmpty else { continue }
            let type = properties[key.stripped].map { $0["type"]?.stringValue ?? "string" } ?? "string"
            arguments[key.stripped] = ValueConversion.mimo(HTMLEntities.replaced(in: value), type)
        }
        return [tools.call(name.stripped, arguments)].compactMap(\.self)
    }

    private static func element(_ open: String, in text: String, close: String) -> (name: String, body: String)? {
        text.enclosed(by: open, close).lazy.compactMap { $0.split(at: ">") }.first { !$0.before.utf8.isEmpty }
            .map { ($0.before, $0.after) }
    }

    /// MiniMax-M2: any number of `<invoke name="…">`.
    static func minimax(_ block: String, _ tools: ToolTable) -> [ToolCall] {
        block.enclosed(by: "<invoke name=\"", "</invoke>", unclosed: true).compactMap { invoke -> ToolCall? in
            guard let (name, body) = invoke.split(at: "\">") else { return nil }
            let properties = tools.properties(of: name.stripped)
            var arguments = PythonDict()
            for parameter in body.enclosed(by: "<parameter name=\"", "</parameter>", unclosed: true) {
                guard let (key, value) = parameter.split(at: "\">") else { continue }
                let types = SchemaTypes.all(of: properties[key.stripped])
                arguments[key.stripped] = ValueConversion.minimax(value.trimming(0x0A), types)
            }
            return tools.call(name.stripped, arguments)
        }
    }

    /// Step 3: `function`, a separator, then one invocation.
    static func step3(_ block: String, _ tools: ToolTable) -> [ToolCall] {
        guard let (kind, rest) = block.split(at: "<｜tool_sep｜>"), kind.stripped == "function",
            let invoke = rest.enclosed(by: "<steptml:invoke name=\"", "</steptml:invoke>").first,
            let (name, body) = invoke.split(at: "\">"), !name.utf8.isEmpty, !body.utf8.isEmpty
        else { return [] }
        let properties = tools.properties(of: name)
        var arguments = PythonDict()
        for parameter in body.enclosed(by: "<steptml:parameter name=\"", "</steptml:parameter>") {
            guard let (key, value) = parameter.split(at: "\">"), !value.holds("<") else { continue }
            let type = properties[key]?["type"] ?? .null
            arguments[key] =
                type.isNull || type == "string"
                ? .string(value.stripped) : ValueConversion.jsonOrLiteral(value.stripped)
        }
        return [tools.call(name, arguments)].compactMap(\.self)
    }

    /// Dots: any number of invocations, or one call as a JSON object; a broken block has none.
    static func dots(_ block: String, _ tools: ToolTable) -> [ToolCall] {
        let block = block.stripped
        guard block.utf8.starts(with: "<invoke".utf8) else {
            return [JSONReader.value(of: block).flatMap(tools.call)].compactMap(\.self)
        }
        return block.enclosed(by: "<invoke", "</invoke>").compactMap { invoke -> ToolCall? in
            guard let (name, body) = dotsName(invoke) else { return nil }
            let schema = tools.place(of: name).flatMap { tools.tools[$0].parameters }
            let properties = tools.properties(of: name)
            var arguments = PythonDict()
            for parameter in body.enclosed(by: "<parameter", "</parameter>") {
                guard let (key, value) = dotsName(parameter) else { continue }
                let type = dotsType(of: properties[key], schema?["$defs"], depth: 0) ?? "string"
                arguments[key] = ValueConversion.dots(value.stripped, type)
            }
            return tools.call(name, arguments)
        }
    }

    /// ` name = "…">` and what follows.
    private static func dotsName(_ text: String) -> (name: String, body: String)? {
        guard let (head, body) = text.split(at: ">"), let (word, name) = head.split(at: "="), word.stripped == "name",
            word.unicodeScalars.first?.isPythonSpace ?? false
        else { return nil }
        let bytes = Array(name.stripped.utf8)
        guard bytes.count >= 2, let first = bytes.first, first == bytes.last, first == 0x22 || first == 0x27 else {
            return (name.stripped, body)
        }
        return (String(decoding: bytes[1..<bytes.count - 1], as: UTF8.self), body)
    }

    private static func dotsType(of schema: JSONValue?, _ definitions: JSONValue?, depth: Int) -> String? {
        guard case .object(let members)? = schema, depth <= 10 else { return nil }
        switch members["type"] {
        case .array(let types)?: return types.first { $0 != "null" }?.stringValue ?? "string"
        case .string(let type)?: return type
        default: break
        }
        if let reference = members["$ref"]?.stringValue, reference.utf8.starts(with: "#/$defs/".utf8) {
            let name = String(reference.split(separator: "/").last ?? "")
            return dotsType(of: definitions?[name], definitions, depth: depth + 1)
        }
        for keyword in ["anyOf", "oneOf", "allOf"] {
            let alternatives = (members[keyword]?.arrayValue ?? []).filter { $0["type"] != "null" }
            if let type = alternatives.lazy.compactMap({ dotsType(of: $0, definitions, depth: depth + 1) }).first {
                return type
            }
        }
        return nil
    }

    /// GigaChat: one invocation, in GCML.
    static func gigachat(_ block: String, _ tools: ToolTable) -> [ToolCall] {
        let language = Marked(language: "GCML", isDeepSeek: false)
        return language.calls("<｜GCML｜invoke\(block)</｜GCML｜invoke>", tools)
    }

    /// GigaChat: line breaks in front of the calls go with them, markers of the end with the answer; without a call the
    /// whole answer is text.
    static func finishGigaChat(_ answer: ToolCallAnswer, _ text: String) -> ToolCallAnswer {
        guard text.holds("<｜GCML｜tool_calls>"), text.holds("</｜GCML｜invoke>") else {
            return ToolCallAnswer(content: withoutEndMarkers(text))
        }
        var answer = answer
        answer.content = withoutEndMarkers(answer.content)
        while answer.content.utf8.last == 0x0A { answer.content.removeLast() }
        return answer
    }

    private static func withoutEndMarkers(_ text: String) -> String {
        let markers = ["<|message_sep|>", "</s>"]
        var rest = text
        while rest.unicodeScalars.last?.isPythonSpace ?? false { rest.unicodeScalars.removeLast() }
        guard markers.contains(where: { rest.removing(suffix: $0).utf8.count < rest.utf8.count }) else { return text }
        while let marker = markers.first(where: { rest.removing(suffix: $0).utf8.count < rest.utf8.count }) {
            rest = rest.removing(suffix: marker)
        }
        return rest
    }

    /// DSML, of DeepSeek V3.2, and GigaChat's GCML: each argument says whether it is text.
    struct Marked: Sendable {
        /// "DSML" or "GCML".
        let language: String
        /// Whether arguments may stand in the invocation as one JSON object, and texts are trimmed.
        let isDeepSeek: Bool

        /// The calls of a section of invocations.
        func calls(_ section: String, _ tools: ToolTable) -> [ToolCall] {
            var rest = PendingText(section)
            var calls: [ToolCall] = []
            while let start = rest.place(of: "<｜\(language)｜invoke") {
                rest.drop(start)
                guard let head = rest.place(of: ">") else { break }
                let tag = rest.take(head)
                rest.drop(1)
                guard let name = Self.attribute("name", in: tag) else { continue }
                if isDeepSeek, tag.utf8.last == UInt8(ascii: "/") {
                    calls += [call(name, "", tools)].compactMap(\.self)
                    continue
                }
                guard let end = rest.place(of: "</｜\(language)｜invoke>") else { break }
                calls += [call(name, rest.take(end), tools)].compactMap(\.self)
            }
            return calls
        }

        /// The call of one invocation.
        func call(_ name: String, _ body: String, _ tools: ToolTable) -> ToolCall? {
            let name = isDeepSeek ? name.stripped : name
            if isDeepSeek, body.stripped.utf8.first == UInt8(ascii: "{") {
                guard case .dict(let dict)? = JSONReader.value(of: body.stripped) else { return nil }
                return tools.call(name, dict)
            }
            guard let arguments = arguments(of: body) else { return nil }
            return tools.call(name, arguments)
        }

        /// nil where a tag is broken, or where there is text and no argument.
        private func arguments(of body: String) -> PythonDict? {
            var arguments = PythonDict()
            var rest = PendingText(body)
            var left = ""
            let (open, close) = ("<｜\(language)｜parameter", "</｜\(language)｜parameter>")
            while let start = rest.place(of: open) {
                left += rest.take(start)
                guard let head = rest.place(of: ">"), let end = rest.place(of: close, from: head),
                    let key = Self.attribute("name", in: rest.text(0..<head)),
                    let isText = Self.attribute("string", in: rest.text(0..<head))
                else {
                    left += rest.take(open.utf8.count)
                    continue
                }
                arguments[key] = value(rest.text(head + 1..<end), isText: isText == "true")
                rest.drop(end + close.utf8.count)
            }
            left += rest.text
            let isBroken = left.holds("｜\(language)｜") || (arguments.members.isEmpty && !left.stripped.isEmpty)
            return isDeepSeek && isBroken ? nil : arguments
        }

        private func value(_ text: String, isText: Bool) -> PythonValue {
            let trimmed = isDeepSeek ? text.stripped : text
            return isText ? .string(trimmed) : JSONReader.value(of: text) ?? .string(trimmed)
        }

        private static func attribute(_ name: String, in tag: String) -> String? {
            tag.split(at: " \(name)=\"")?.after.split(at: "\"")?.before
        }
    }
}
