package import JSON

/// The variables that a template is rendered with, by name.
package struct TemplateContext: Equatable, Sendable {
    package var variables: JSONObject

    package init(_ variables: JSONObject = JSONObject()) { self.variables = variables }

    package subscript(name: String) -> JSONValue? {
        get { variables[name] }
        set { variables[name] = newValue }
    }
}

extension Value {
    /// A value that came as JSON; objects keep the order of their members.
    init(_ json: JSONValue) throws(TemplateError) {
        switch json {
        case .null: self = .none
        case .bool(let value): self = .bool(value)
        case .int(let value): self = .int(Int(value))
        case .unsigned(let value): self = .wide(value)
        case .double(let value): self = .float(value)
        case .string(let value): self = .string(value)
        case .array(let elements):
            var values: [Value] = []
            values.reserveCapacity(elements.count)
            for element in elements { values.append(try Value(element)) }
            self = .list(try List(values))
        case .object(let members):
            var values: [Value] = []
            values.reserveCapacity(members.count)
            for value in members.values { values.append(try Value(value)) }
            self = .dict(try Dict(texts: members.keys, values: values))
        }
    }
}
