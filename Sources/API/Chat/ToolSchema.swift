internal import JSON

/// The schema of a tool's arguments as clients write it: names of types that databases and programming languages have stand for
/// those of JSON Schema.
enum ToolSchema {
    private static let types: Set = ["array", "boolean", "integer", "null", "number", "object", "string"]
    private static let aliases: [String: String] = [
        "str": "string", "text": "string", "varchar": "string", "char": "string", "enum": "string", "uuid": "string",
        "date": "string", "datetime": "string", "time": "string", "timestamp": "string", "binary": "string",
        "blob": "string", "bytea": "string", "bytes": "string", "varbinary": "string", "bool": "boolean",
        "bigint": "integer", "smallint": "integer", "tinyint": "integer", "double": "number", "decimal": "number",
        "real": "number", "numeric": "number", "arr": "array", "tuple": "array", "set": "array", "map": "object",
    ]
    /// Names that may go on with digits, a bracket or space: `int32`, `list[str]`.
    private static let families: [(name: String, type: String)] = [
        ("int", "integer"), ("uint", "integer"), ("long", "integer"), ("short", "integer"), ("unsigned", "integer"),
        ("num", "number"), ("float", "number"), ("list", "array"), ("dict", "object"),
    ]

    /// Keywords whose members are schemas.
    private static let maps: Set = ["properties", "patternProperties", "$defs", "definitions", "dependentSchemas"]
    /// Keywords that are schemas, or lists of them.
    private static let schemas: Set = [
        "anyOf", "oneOf", "allOf", "prefixItems", "items", "additionalProperties", "not", "if", "then", "else",
        "contains",
        "propertyNames", "unevaluatedItems", "unevaluatedProperties",
    ]

    /// A schema with the types of JSON Schema; a name that stands for none stays.
    static func normalized(_ schema: JSONValue) -> JSONValue {
        switch schema {
        case .array(let list): return .array(list.map(normalized))
        case .object(var members):
            for key in members.keys {
                guard let value = members[key] else { continue }
                if key == "type" {
                    members[key] = type(value)
                } else if schemas.contains(key) {
                    members[key] = normalized(value)
                } else if maps.contains(key), case .object(var inner) = value {
                    for name in inner.keys { inner[name] = inner[name].map(normalized) }
                    members[key] = .object(inner)
                }
            }
            return .object(members)
        default: return schema
        }
    }

    /// A type that is none, and where it stands; nil: there is no such thing.
    static func wrongType(in schema: JSONValue, at path: String = "") -> (type: JSONValue, path: String)? {
        switch schema {
        case .array(let list):
            return list.enumerated().lazy.compactMap { wrongType(in: $1, at: "\(path)/\($0)") }.first
        case .object(let members):
            if let type = members["type"], !isType(type) { return (type, path + "/type") }
            for key in members.keys {
                guard let value = members[key] else { continue }
                if schemas.contains(key), let found = wrongType(in: value, at: "\(path)/\(key)") { return found }
                guard maps.contains(key), case .object(let inner) = value else { continue }
                for name in inner.keys {
                    if let found = inner[name].flatMap({ wrongType(in: $0, at: "\(path)/\(key)/\(name)") }) {
                        return found
                    }
                }
            }
            return nil
        default: return nil
        }
    }

    private static func isType(_ type: JSONValue) -> Bool {
        if let name = type.stringValue { return types.contains(name) }
        return type.arrayValue?.allSatisfy { $0.stringValue.map(types.contains) ?? false } ?? false
    }

    private static func type(_ value: JSONValue) -> JSONValue {
        switch value {
        case .string(let name): return .string(type(name))
        case .array(let names):
            return .array(
                names.reduce(into: []) { found, name in
                    let name = name.stringValue.map { JSONValue.string(type($0)) } ?? name
                    if !found.contains(name) { found.append(name) }
                })
        default: return value
        }
    }

    private static func type(_ name: String) -> String {
        let base = name.prefix { $0 != "(" }.trimming { $0.isWhitespace }.lowercased()
        if types.contains(base) { return base }
        if let known = aliases[base] { return known }
        let family = families.first { family in
            guard base.hasPrefix(family.name) else { return false }
            guard let next = base.dropFirst(family.name.count).first else { return true }
            return "0123456789[<( \t".contains(next)
        }
        return family?.type ?? name
    }
}

extension Substring {
    fileprivate func trimming(_ isDropped: (Character) -> Bool) -> Substring {
        let rest = drop(while: isDropped)
        return rest.lastIndex { !isDropped($0) }.map { rest[...$0] } ?? ""
    }
}
