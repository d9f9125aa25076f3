internal import JSON

/// What a tool's JSON schema says of the types of its arguments.
enum SchemaTypes {
    /// The properties of a schema; where it has none itself, those of its alternatives.
    static func properties(of schema: JSONValue?) -> JSONObject {
        guard case .object(let members)? = schema else { return JSONObject() }
        if case .object(let properties)? = members["properties"] { return properties }
        var merged = JSONObject()
        for keyword in ["anyOf", "oneOf", "allOf"] {
            for branch in members[keyword]?.arrayValue ?? [] {
                for (key, value) in properties(of: branch) where merged[key] == nil { merged[key] = value }
            }
        }
        return merged
    }

    /// The first type that a schema suggests; nil where it suggests none.
    static func primary(of schema: JSONValue?) -> String? {
        guard case .object(let members)? = schema else { return nil }
        switch members["type"] {
        case .string(let type)?: return type
        case .array(let types)? where !types.isEmpty:
            return types.first { $0 != "null" }.map { $0.stringValue ?? "string" } ?? "string"
        default: break
        }
        if let type = alternative(members) { return type }
        if case .array(let values)? = members["enum"] {
            let types = Set(values.map(type))
            return types.count == 1 ? types.first : "string"
        }
        if case .array(let schemas)? = members["allOf"] {
            return schemas.lazy.compactMap { primary(of: $0) }.first { $0 != "string" } ?? "string"
        }
        if members["properties"] != nil { return "object" }
        return members["items"] == nil ? nil : "array"
    }

    private static func alternative(_ members: JSONObject) -> String? {
        let first = members["anyOf"]?.arrayValue ?? []
        let schemas = first.isEmpty ? members["oneOf"]?.arrayValue ?? [] : first
        let types = schemas.compactMap { primary(of: $0) }
        let different = Set(types)
        if different.count == 1 { return types[0] }
        if different.count == 2, different.contains("null") { return types.first { $0 != "null" } }
        return different.contains("string") ? "string" : types.first
    }

    /// Every type that a schema names, in its alternatives too; a text where it names none.
    static func all(of schema: JSONValue?) -> Set<String> {
        guard case .object(let members)? = schema else { return ["string"] }
        var types: Set<String> = []
        switch members["type"] {
        case .string(let type)?: types.insert(type)
        case .array(let list)?: types.formUnion(list.compactMap(\.stringValue))
        default: break
        }
        types.formUnion((members["enum"]?.arrayValue ?? []).map(type))
        for keyword in ["anyOf", "oneOf", "allOf"] {
            for choice in members[keyword]?.arrayValue ?? [] { types.formUnion(all(of: choice)) }
        }
        return types.isEmpty ? ["string"] : types
    }

    /// The one type that a schema admits; nil where it admits several or says nothing.
    static func only(of schema: JSONValue?) -> String? {
        var types = admitted(schema)
        if types == ["number", "integer"] { types = ["number"] }
        return types?.count == 1 ? types?.first : nil
    }

    private static func admitted(_ schema: JSONValue?) -> Set<String>? {
        guard case .object(let members)? = schema else { return nil }
        var constraints: [Set<String>] = []
        switch members["type"] {
        case .string(let type)?: constraints.append(type == "number" ? [type, "integer"] : [type])
        case .array(let list)?:
            let types = Set(list.compactMap(\.stringValue))
            constraints.append(types.contains("number") ? types.union(["integer"]) : types)
        default: break
        }
        if let values = members["const"].map({ [$0] }) ?? members["enum"]?.arrayValue {
            constraints.append(Set(values.map(type)))
        }
        for keyword in ["anyOf", "oneOf"] {
            let branches = (members[keyword]?.arrayValue ?? []).map(admitted)
            let known = branches.compactMap(\.self)
            if !known.isEmpty, known.count == branches.count { constraints.append(known.reduce([]) { $0.union($1) }) }
        }
        constraints += (members["allOf"]?.arrayValue ?? []).compactMap(admitted)
        guard let first = constraints.first else { return nil }
        return constraints.dropFirst().reduce(first) { $0.intersection($1) }
    }

    private static func type(of value: JSONValue) -> String {
        switch value {
        case .null: "null"
        case .bool: "boolean"
        case .int, .unsigned: "integer"
        case .double: "number"
        case .string: "string"
        case .array: "array"
        case .object: "object"
        }
    }
}
