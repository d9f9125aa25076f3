package import APICore
package import JSON
package import Ledger
package import OutputParsers

/// The tools of a chat request and what the client wants done with them.
package struct ChatTools: Sendable {
    /// Which tools the model may call, or must.
    package enum Choice: Sendable, Equatable {
        case none
        case auto
        case required
        case named(String)
    }

    /// The tools as they came, in their order.
    package let tools: [JSONValue]
    package let choice: Choice
    /// At most one call, where calls are forced.
    package let isParallel: Bool

    /// Reads the fields of a body.
    package init(_ body: RequestFields) throws(RequestFailure) {
        var read: [JSONValue] = []
        if let list = body["tools"] {
            let cursor = RequestCursor(list, RequestReading(), path: "tools")
            for tool in try cursor.elements() {
                let function = try tool.required("function")
                _ = try function.required("name").string()
                if let type = try tool.member("type"), type.value != "function" {
                    throw type.failure("Input should be 'function'")
                }
                if let parameters = try function.member("parameters") { _ = try parameters.object() }
                read.append(Self.normalized(tool.value))
            }
        }
        tools = read
        isParallel = try body.bool("parallel_tool_calls", or: true)
        choice = try Self.choice(body, hasTools: !read.isEmpty)
    }

    /// A tool whose schema has the types of JSON Schema.
    private static func normalized(_ tool: JSONValue) -> JSONValue {
        guard case .object(var members) = tool, case .object(var function)? = members["function"],
            let parameters = function["parameters"]
        else { return tool }
        function["parameters"] = ToolSchema.normalized(parameters)
        members["function"] = .object(function)
        return .object(members)
    }

    private static func choice(_ body: RequestFields, hasTools: Bool) throws(RequestFailure) -> Choice {
        switch body["tool_choice"] {
        case nil: return hasTools ? .auto : .none
        case "none"?: return .none
        case "auto"?: return hasTools ? .auto : .none
        case "required"?: return .required
        case .object?:
            guard let choice = try body.fields("tool_choice"), let function = try choice.fields("function") else {
                throw RequestReading().failure(at: "tool_choice.function", .missing)
            }
            return .named(try function.required("name", function.string))
        default:
            throw .malformed("body.tool_choice: Input should be 'auto', 'required', 'none' or a function")
        }
    }

    /// What parsers know of the tools.
    package var definitions: [ToolDefinition] {
        shown.compactMap { tool in
            guard let function = tool["function"], let name = function["name"]?.stringValue else { return nil }
            return ToolDefinition(
                name: name, parameters: function["parameters"], isStrict: function["strict"] == true)
        }
    }

    /// The name of each tool.
    package var names: [String] { tools.compactMap { $0["function"]?["name"]?.stringValue } }

    /// Tools that the template is shown.
    package var shown: [JSONValue] {
        switch choice {
        case .none: []
        case .auto, .required: tools
        case .named(let name): tools.filter { $0["function"]?["name"] == .string(name) }
        }
    }

    /// Answers may hold calls.
    package var isActive: Bool { !tools.isEmpty && choice != .none }

    /// - Throws: `.invalid` for a choice that the tools do not allow.
    package func check() throws(RequestFailure) {
        switch choice {
        case .none, .auto: break
        case .required:
            if tools.isEmpty { throw .invalid("Tools cannot be empty if tool choice is set to required.") }
        case .named(let name):
            if tools.isEmpty { throw .invalid("Tools cannot be empty if tool choice is set to a specific tool.") }
            if !names.contains(name) { throw .invalid("Tool '\(name)' not found in tools list.") }
        }
        for (place, tool) in tools.enumerated() {
            guard let parameters = tool["function"]?["parameters"],
                let wrong = ToolSchema.wrongType(in: parameters)
            else { continue }
            throw .invalid(
                "Tool \(place) function has invalid 'parameters' schema: \(JSON.encodeToString(wrong.type)) at "
                    + "\(wrong.path) is no type.")
        }
    }

    /// Refuses another grammar beside that of calls that the client demands.
    package func check(against sampling: JSONObject) throws(RequestFailure) {
        guard isForced, SamplingRanges.haveGrammar(sampling) else { return }
        throw .invalid(
            "tool_choice 'required' or a named tool cannot be combined with response_format, regex, or ebnf: "
                + "the tools decide what the answer looks like.")
    }
}

/// What a client of a chat wants to see of the answer beside its text.
package struct ChatAnswerWishes: Sendable {
    package var promptIDs: Bool
    package var outputIDs: Bool
    package var metaInfo: Bool
    /// Ids in the extension that gateways read.
    package var extendedInput: Bool
    package var extendedOutput: Bool
    /// Thoughts are told apart from the answer.
    package var separatesReasoning: Bool
    /// Thoughts are streamed as they come.
    package var streamsReasoning: Bool

    /// Reads the fields of a body.
    package init(_ body: RequestFields, isStreamed: Bool) throws(RequestFailure) {
        let all = try body.bool("return_token_ids")
        let prompt = try body.bool("return_prompt_token_ids")
        (promptIDs, outputIDs) = (all || prompt, all)
        metaInfo = try body.bool("return_meta_info")
        extendedInput = try body.bool("return_input_ids_in_sglext")
        extendedOutput = try body.bool("return_output_ids_in_sglext")
        separatesReasoning = try body.bool("separate_reasoning", or: true)
        streamsReasoning = try body.bool("stream_reasoning", or: true)
        guard isStreamed else { return }
        for (name, isSet, route) in [
            ("return_token_ids", all, " on /v1/chat/completions"), ("return_prompt_token_ids", prompt, ""),
            ("return_meta_info", metaInfo, ""),
        ] where isSet {
            throw .mismatched(
                "\(name) is not supported with streaming\(route). Please set stream=false when using \(name)=true.")
        }
    }
}
