internal import JSON

/// The tools of a request, found by name.
struct ToolTable: Sendable {
    let tools: [ToolDefinition]
    private let places: [String: Int]

    init(_ tools: [ToolDefinition]) {
        self.tools = tools
        places = Dictionary(tools.enumerated().map { ($1.name, $0) }, uniquingKeysWith: { $1 })
    }

    /// Where a tool stands in the request; nil for a name that no tool has.
    func place(of name: String) -> Int? { places[name] }

    /// The call of an object with `name` and `parameters` or `arguments`; nil where no tool has that name.
    func call(of object: PythonValue) -> ToolCall? {
        guard case .dict(let dict) = object, case .string(let name)? = dict["name"], let place = place(of: name)
        else { return nil }
        let parameters = dict["parameters"] ?? PythonValue.none
        let arguments = parameters.isTrue ? parameters : dict["arguments"] ?? .dict(PythonDict())
        return ToolCall(name: name, arguments: arguments.json, toolIndex: place)
    }

    /// The call of a tool; nil where no tool has that name.
    func call(_ name: String, _ arguments: PythonDict) -> ToolCall? {
        place(of: name).map { ToolCall(name: name, arguments: PythonValue.dict(arguments).json, toolIndex: $0) }
    }

    /// The schema of a tool's arguments as a whole; nil where there is none.
    func parameters(of name: String) -> JSONValue? { place(of: name).flatMap { tools[$0].parameters } }

    /// The schemas of a tool's arguments; none for a name that no tool has.
    func properties(of name: String) -> JSONObject {
        place(of: name).map { SchemaTypes.properties(of: tools[$0].parameters) } ?? JSONObject()
    }
}
