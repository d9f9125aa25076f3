/// Blocks with a list of calls, as JSON or as Python writes them.
enum ListedCalls {
    /// Command A: JSON objects with `tool_name` and `parameters`; what stands behind them does not count.
    static func cohere(_ block: String, _ tools: ToolTable) -> [ToolCall] {
        let items: [PythonValue]
        var reader = JSONReader(Array(block.utf8))
        reader.skipSpace()
        switch reader.read() {
        case .list(let list)?: items = list
        case .dict(let dict)?: items = [.dict(dict)]
        default: return []
        }
        return items.compactMap { item in
            guard case .dict(var dict) = item else { return nil }
            if dict["name"] == nil, let name = dict["tool_name"] { dict["name"] = name }
            return tools.call(of: .dict(dict))
        }
    }

    /// Apertus: JSON objects with the tool's name as their key; nil for what is no list. The block has lost its bracket.
    static func apertus(_ block: String, _ tools: ToolTable) -> [ToolCall]? {
        var reader = JSONReader(Array("[\(block)".utf8))
        guard case .list(let list)? = reader.read() else { return nil }
        return list.compactMap { item in
            guard case .dict(let dict) = item, let call = dict.members.first, tools.place(of: call.key) != nil
            else { return nil }
            let arguments = call.value == .none ? PythonValue.dict(PythonDict()) : call.value
            return ToolCall(name: call.key, arguments: arguments.json, toolIndex: 0)
        }
    }

    /// LFM 2: a list of JSON objects or of Python calls.
    static func lfm2(_ block: String, _ tools: ToolTable) -> [ToolCall] {
        let block = block.stripped
        if block.utf8.starts(with: "[{".utf8) || block.utf8.first == UInt8(ascii: "{") {
            switch JSONReader.value(of: block) {
            case .list(let list)?: return list.compactMap(tools.call)
            case .dict(let dict)?: return [tools.call(of: .dict(dict))].compactMap(\.self)
            default: break
            }
        }
        let text = block.utf8.first == UInt8(ascii: "[") ? block : "[\(block)]"
        guard let list = PythonCallList(Array(text.utf8), isLenient: true), list.end == text.utf8.count else {
            return []
        }
        return list.calls.enumerated().compactMap { place, call -> ToolCall? in
            guard let known = call.arguments.flatMap({ tools.call(call.name, $0) }) else { return nil }
            return ToolCall(name: known.name, arguments: known.arguments, toolIndex: place)
        }
    }
}
