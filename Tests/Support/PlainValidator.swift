package import JSON

/// JSON Schema as one reads it, one keyword after the other: written for the tests alone, without anything of the grammar's.
package struct PlainValidator {
    private let root: JSONValue

    /// For a schema whose references name its `$defs`.
    package init(root: JSONValue) { self.root = root }

    /// Whether a value satisfies it.
    package func allows(_ value: JSONValue) -> Bool { check(value, root) }

    private func check(_ value: JSONValue, _ schema: JSONValue) -> Bool {
        guard case .object(let keywords) = schema else { return schema == .bool(true) }
        return keywords.allSatisfy { key, argument in holds(key, argument, value, keywords) }
    }

    private func holds(_ key: String, _ argument: JSONValue, _ value: JSONValue, _ all: JSONObject) -> Bool {
        switch key {
        case "$ref": return check(value, root["$defs"]![String(argument.stringValue!.dropFirst(8))]!)
        case "type": return (argument.arrayValue ?? [argument]).contains { isOf($0.stringValue!, value) }
        case "enum": return argument.arrayValue!.contains(value)
        case "const": return argument == value
        case "allOf": return argument.arrayValue!.allSatisfy { check(value, $0) }
        case "anyOf": return argument.arrayValue!.contains { check(value, $0) }
        case "oneOf": return argument.arrayValue!.filter { check(value, $0) }.count == 1
        case "not": return !check(value, argument)
        case "if":
            let next = check(value, argument) ? all["then"] : all["else"]
            return next.map { check(value, $0) } ?? true
        default: break
        }
        switch value {
        case .int, .double: return number(key, argument.doubleValue, value.doubleValue!)
        case .string(let text): return string(key, argument, text)
        case .array(let elements): return array(key, argument, elements, all)
        case .object(let members): return object(key, argument, members, all)
        default: return true
        }
    }

    private func isOf(_ name: String, _ value: JSONValue) -> Bool {
        value.kindName == name || name == "number" && value.kindName == "integer"
    }

    private func number(_ key: String, _ bound: Double?, _ number: Double) -> Bool {
        guard let bound else { return true }
        switch key {
        case "minimum": return number >= bound
        case "maximum": return number <= bound
        case "exclusiveMinimum": return number > bound
        case "exclusiveMaximum": return number < bound
        case "multipleOf": return number.remainder(dividingBy: bound) == 0
        default: return true
        }
    }

    private func string(_ key: String, _ argument: JSONValue, _ text: String) -> Bool {
        switch key {
        case "minLength": text.unicodeScalars.count >= argument.intValue!
        case "maxLength": text.unicodeScalars.count <= argument.intValue!
        case "pattern": Self.finds(argument.stringValue!, text)
        default: true
        }
    }

    private static func finds(_ pattern: String, _ text: String) -> Bool {
        guard let regex = try? Regex(pattern) else { return false }
        return text.contains(regex)
    }

    private func array(_ key: String, _ argument: JSONValue, _ elements: [JSONValue], _ all: JSONObject) -> Bool {
        switch key {
        case "minItems": return elements.count >= argument.intValue!
        case "maxItems": return elements.count <= argument.intValue!
        case "uniqueItems":
            return elements.indices.allSatisfy { place in !elements[..<place].contains(elements[place]) }
        case "prefixItems": return zip(elements, argument.arrayValue!).allSatisfy { check($0, $1) }
        case "items":
            return elements.dropFirst(all["prefixItems"]?.arrayValue?.count ?? 0).allSatisfy { check($0, argument) }
        case "contains":
            let count = elements.filter { check($0, argument) }.count
            return count >= all["minContains"]?.intValue ?? 1 && count <= all["maxContains"]?.intValue ?? .max
        default: return true
        }
    }

    private func object(_ key: String, _ argument: JSONValue, _ members: JSONObject, _ all: JSONObject) -> Bool {
        switch key {
        case "required": return argument.arrayValue!.allSatisfy { members[$0.stringValue!] != nil }
        case "minProperties": return members.count >= argument.intValue!
        case "maxProperties": return members.count <= argument.intValue!
        case "properties":
            return argument.objectValue!.allSatisfy { name, schema in members[name].map { check($0, schema) } ?? true }
        case "patternProperties":
            return argument.objectValue!.allSatisfy { pattern, schema in
                members.allSatisfy { name, value in !Self.finds(pattern, name) || check(value, schema) }
            }
        case "additionalProperties":
            return members.allSatisfy { name, value in
                if all["properties"]?[name] != nil { return true }
                let patterns = all["patternProperties"]?.objectValue?.keys ?? []
                return patterns.contains { Self.finds($0, name) } || check(value, argument)
            }
        case "propertyNames": return members.allSatisfy { name, _ in check(.string(name), argument) }
        case "dependentRequired":
            return argument.objectValue!.allSatisfy { name, others in
                members[name] == nil || others.arrayValue!.allSatisfy { members[$0.stringValue!] != nil }
            }
        case "dependentSchemas":
            return argument.objectValue!.allSatisfy { name, schema in
                members[name] == nil || check(.object(members), schema)
            }
        default: return true
        }
    }
}
