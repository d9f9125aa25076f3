import JSON
import Values

/// Random schemas over all keywords that a grammar may have, and random values that are near them.
struct RandomSchemas {
    private var random: SplitMix64

    init(seed: UInt64) { random = SplitMix64(seed: seed) }

    private mutating func number(_ range: Range<Int>) -> Int { range.lowerBound + Int(random.next() % UInt64(range.count)) }
    private mutating func pick<Element>(_ list: [Element]) -> Element { list[number(0..<list.count)] }
    private mutating func chance(_ percent: Int) -> Bool { number(0..<100) < percent }

    private static let names = ["a", "b", "c"]
    private static let strings = ["", "a", "b", "aa", "ab", "abc", "x1", "é\n", "aaaa"]
    private static let patterns = ["^a", "b$", "^[ab]*$", "a.", "^(aa|x)", "1"]

    // MARK: Schemas

    /// A whole schema, with definitions that may be recursive.
    mutating func schema() -> JSONValue {
        guard case .object(var root) = schema(depth: 3) else { return .bool(true) }
        root["$defs"] = ["r": recursive()]
        return .object(root)
    }

    private mutating func recursive() -> JSONValue {
        ["anyOf": [["type": pick(["integer", "boolean", "null"])], ["type": "array", "items": ["$ref": "#/$defs/r"], "maxItems": 2]]]
    }

    private mutating func schema(depth: Int) -> JSONValue {
        if chance(5) { return .bool(chance(80)) }
        if depth == 0 || chance(25) { return leaf() }
        switch number(0..<13) {
        case 0: return ["anyOf": .array(schemas(depth))]
        case 1: return ["oneOf": .array(schemas(depth))]
        case 2: return ["allOf": .array(schemas(depth))]
        case 3: return ["not": leaf(), "type": .array([pick(Self.types), pick(Self.types)])]
        case 4: return ["if": leaf(), "then": schema(depth: depth - 1), "else": schema(depth: depth - 1)]
        case 5: return ["$ref": "#/$defs/r"]
        case 6...8: return array(depth)
        default: return object(depth)
        }
    }

    private mutating func schemas(_ depth: Int) -> [JSONValue] {
        (0..<number(1..<3) + 1).map { _ in schema(depth: depth - 1) }
    }

    private static let types: [JSONValue] = ["null", "boolean", "integer", "number", "string", "array", "object"]

    private mutating func leaf() -> JSONValue {
        switch number(0..<6) {
        case 0: return ["type": pick(Self.types)]
        case 1: return ["enum": .array((0..<number(1..<5)).map { _ in scalar() })]
        case 2: return ["const": scalar()]
        case 3: return numeric()
        default: return text()
        }
    }

    private mutating func numeric() -> JSONValue {
        var schema: JSONObject = ["type": pick(["integer", "number"])]
        let bound = { (number: Int, isHalf: Bool) -> JSONValue in isHalf ? .double(Double(number) + 0.5) : .int(Int64(number)) }
        if chance(50) { schema[pick(["minimum", "exclusiveMinimum"])] = bound(number(-30..<5), chance(30)) }
        if chance(50) { schema[pick(["maximum", "exclusiveMaximum"])] = bound(number(0..<130), chance(30)) }
        if chance(25) { schema["multipleOf"] = .int(Int64(number(1..<8))) }
        return .object(schema)
    }

    private mutating func text() -> JSONValue {
        var schema: JSONObject = ["type": "string"]
        if chance(40) { schema["minLength"] = .int(Int64(number(0..<3))) }
        if chance(40) { schema["maxLength"] = .int(Int64(number(1..<5))) }
        if chance(40) { schema["pattern"] = .string(pick(Self.patterns)) }
        return .object(schema)
    }

    private mutating func array(_ depth: Int) -> JSONValue {
        var schema: JSONObject = ["type": "array"]
        if chance(30) { schema["prefixItems"] = .array(schemas(depth)) }
        if chance(70) { schema["items"] = schema_(depth) }
        if chance(30) { schema["minItems"] = .int(Int64(number(0..<3))) }
        if chance(40) { schema["maxItems"] = .int(Int64(number(0..<4))) }
        if chance(20) {
            schema["contains"] = leaf()
            if chance(30) { schema["minContains"] = .int(Int64(number(0..<3))) }
            if chance(30) { schema["maxContains"] = .int(Int64(number(1..<3))) }
        }
        if chance(10) {
            schema["items"] = ["enum": .array([scalar(), .bool(true), .null])]
            schema["uniqueItems"] = true
        }
        return .object(schema)
    }

    private mutating func schema_(_ depth: Int) -> JSONValue { schema(depth: depth - 1) }

    private mutating func object(_ depth: Int) -> JSONValue {
        var schema: JSONObject = ["type": "object"]
        var properties: JSONObject = [:]
        for name in Self.names where chance(60) { properties[name] = schema_(depth) }
        if !properties.isEmpty { schema["properties"] = .object(properties) }
        if chance(40) { schema["required"] = .array(Self.names.filter { _ in chance(40) }.map { .string($0) }) }
        if chance(50) { schema["additionalProperties"] = chance(50) ? false : leaf() }
        if chance(20) { schema["patternProperties"] = [pick(["^x", "y", "^[a-b]$"]): leaf()] }
        if chance(15) { schema["propertyNames"] = ["maxLength": .int(Int64(number(1..<3)))] }
        if chance(15) { schema["minProperties"] = .int(Int64(number(0..<3))) }
        if chance(15) { schema["maxProperties"] = .int(Int64(number(1..<4))) }
        if chance(10) { schema["dependentRequired"] = [pick(Self.names): .array([.string(pick(Self.names))])] }
        if chance(10) { schema["dependentSchemas"] = [pick(Self.names): ["required": .array([.string(pick(Self.names))])]] }
        return .object(schema)
    }

    private mutating func scalar() -> JSONValue {
        switch number(0..<6) {
        case 0: .null
        case 1: .bool(chance(50))
        case 2: .double(Double(number(-20..<20)) + 0.5)
        case 3: .string(pick(Self.strings))
        default: .int(Int64(number(-12..<60)))
        }
    }

    // MARK: Values

    /// A value that has a chance to satisfy a schema.
    mutating func value(near schema: JSONValue, _ root: JSONValue, depth: Int = 4) -> JSONValue {
        guard depth > 0, !chance(4), case .object(let keywords) = schema else { return anything(depth) }
        if keywords["$ref"] != nil { return value(near: root["$defs"]!["r"]!, root, depth: depth - 1) }
        for key in ["allOf", "anyOf", "oneOf"] {
            if let list = keywords[key]?.arrayValue { return value(near: pick(list), root, depth: depth) }
        }
        if let then = keywords["then"] { return value(near: pick([then, keywords["else"]!, keywords["if"]!]), root, depth: depth) }
        if let list = keywords["enum"]?.arrayValue { return pick(list) }
        if let value = keywords["const"] { return value }
        let type = keywords["type"]?.arrayValue.map { pick($0) } ?? keywords["type"] ?? .null
        switch type {
        case "object": return members(keywords, root, depth)
        case "array":
            var elements: [JSONValue] = []
            let prefix = keywords["prefixItems"]?.arrayValue ?? []
            for place in 0..<number(0..<4) {
                let schema = place < prefix.count ? prefix[place] : keywords["items"] ?? true
                elements.append(value(near: chance(25) ? keywords["contains"] ?? schema : schema, root, depth: depth - 1))
            }
            return .array(elements)
        case "string": return .string(pick(Self.strings))
        case "integer": return .int(Int64(number(-32..<132)))
        case "number": return chance(50) ? .int(Int64(number(-32..<132))) : .double(Double(number(-64..<260)) / 4 + 0.125)
        case "boolean": return .bool(chance(50))
        default: return .null
        }
    }

    private mutating func members(_ keywords: JSONObject, _ root: JSONValue, _ depth: Int) -> JSONValue {
        var members: JSONObject = [:]
        for name in Self.names where chance(55) {
            members[name] = value(near: keywords["properties"]?[name] ?? true, root, depth: depth - 1)
        }
        if chance(25) { members[pick(["x", "y", "xx"])] = value(near: keywords["additionalProperties"] ?? true, root, depth: 1) }
        return .object(members)
    }

    private mutating func anything(_ depth: Int) -> JSONValue {
        if depth > 1, chance(30) { return chance(50) ? .array([scalar()]) : [pick(Self.names): scalar()] }
        return scalar()
    }
}
