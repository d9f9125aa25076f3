package import JSON

/// A function that the model may call.
package struct ToolDefinition: Sendable, Equatable {
    package let name: String
    /// The JSON schema of its arguments.
    package let parameters: JSONValue?
    /// Whether its arguments must follow the schema (`strict`).
    package let isStrict: Bool

    package init(name: String, parameters: JSONValue? = nil, isStrict: Bool = false) {
        self.name = name
        self.parameters = parameters
        self.isStrict = isStrict
    }
}
