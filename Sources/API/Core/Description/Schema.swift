package import JSON

/// What a JSON value may be, as OpenAPI describes it.
package indirect enum Schema: Sendable {
    /// Any value.
    case anything
    case null
    case text
    /// One of some texts.
    case word([String])
    case flag
    case integer(least: Int? = nil, most: Int? = nil)
    case number(least: Double? = nil, most: Double? = nil)
    case list(of: Schema, least: Int? = nil)
    /// An object with these members; others may stand beside them.
    case object([Member])
    /// An object whose members all look alike.
    case map(of: Schema)
    /// One of several kinds.
    case either([Schema])
    /// A schema that stands among the components.
    case named(String)

    /// A member of an object.
    package struct Member: Sendable {
        let name: String
        let schema: Schema
        let isRequired: Bool
        let meaning: String

        /// A member that must be there.
        package static func required(_ name: String, _ schema: Schema, _ meaning: String = "") -> Member {
            Member(name: name, schema: schema, isRequired: true, meaning: meaning)
        }

        /// A member that may be absent or null.
        package static func optional(_ name: String, _ schema: Schema, _ meaning: String = "") -> Member {
            Member(name: name, schema: .either([schema, .null]), isRequired: false, meaning: meaning)
        }
    }

    /// A value, or a list of such values.
    package static func oneOrMany(_ schema: Schema) -> Schema { .either([schema, .list(of: schema)]) }

    /// A value, or null.
    package static func nullable(_ schema: Schema) -> Schema { .either([schema, .null]) }

    /// The schema in JSON Schema's words.
    package var json: JSONValue {
        switch self {
        case .anything: [:]
        case .null: ["type": "null"]
        case .text: ["type": "string"]
        case .word(let words): ["type": "string", "enum": .array(words.map { .string($0) })]
        case .flag: ["type": "boolean"]
        case .integer(let least, let most):
            Self.ranged("integer", least.map { .int(Int64($0)) }, most.map { .int(Int64($0)) })
        case .number(let least, let most):
            Self.ranged("number", least.map { .double($0) }, most.map { .double($0) })
        case .list(let element, let least): Self.list(element, least)
        case .object(let members): Self.object(members)
        case .map(let schema): ["type": "object", "additionalProperties": schema.json]
        case .either(let schemas): ["anyOf": .array(schemas.map(\.json))]
        case .named(let name): ["$ref": .string("#/components/schemas/\(name)")]
        }
    }

    private static func ranged(_ type: String, _ least: JSONValue?, _ most: JSONValue?) -> JSONValue {
        var object: JSONObject = ["type": .string(type)]
        object["minimum"] = least
        object["maximum"] = most
        return .object(object)
    }

    private static func list(_ element: Schema, _ least: Int?) -> JSONValue {
        var object: JSONObject = ["type": "array", "items": element.json]
        if let least { object["minItems"] = .int(Int64(least)) }
        return .object(object)
    }

    private static func object(_ members: [Member]) -> JSONValue {
        var properties = JSONObject()
        for member in members {
            var schema = member.schema.json.objectValue ?? [:]
            if !member.meaning.isEmpty { schema["description"] = .string(member.meaning) }
            properties[member.name] = .object(schema)
        }
        var object: JSONObject = ["type": "object", "properties": .object(properties)]
        let required = members.filter(\.isRequired).map { JSONValue.string($0.name) }
        if !required.isEmpty { object["required"] = .array(required) }
        return .object(object)
    }
}
