internal import JSON

/// What a schema does not allow, as alternatives: each is a list of nodes that hold together.
extension SchemaNodes {
    /// The alternatives of the opposite of a node.
    mutating func alternatives(oppositeOf node: Int) throws(GrammarError) -> [[Int]] {
        switch self[node] {
        case .opposite(let inner): return [[inner]]
        case .made(let fact, let place): return try alternatives(oppositeOf: fact, place)
        case .written(.bool(let flag), _): return flag ? [] : [[]]
        case .written(let value, let pointer):
            guard case .object(let schema) = value else { return [] }
            var alternatives: [[Int]] = []
            for (fact, place) in try facts(schema, pointer) {
                alternatives += try self.alternatives(oppositeOf: fact, place)
            }
            for (key, value) in schema {
                alternatives += try self.alternatives(oppositeOf: key, value, schema, pointer)
            }
            return alternatives
        }
    }

    /// The opposite of a keyword that joins schemas.
    private mutating func alternatives(
        oppositeOf key: String, _ value: JSONValue, _ schema: JSONObject, _ pointer: String
    ) throws(GrammarError) -> [[Int]] {
        switch key {
        case "$ref": return [[try opposite(of: target(of: value, at: pointer))]]
        case "allOf":
            var alternatives: [[Int]] = []
            for child in try children(value, pointer, key) { alternatives.append([try opposite(of: child)]) }
            return alternatives
        case "anyOf": return [try opposites(of: children(value, pointer, key))]
        case "oneOf":
            let all = try children(value, pointer, key)
            var alternatives = [try opposites(of: all)]
            for (index, one) in all.enumerated() {
                for other in all[(index + 1)...] { alternatives.append([one, other]) }
            }
            return alternatives
        case "not": return [[try child(value, pointer, key)]]
        case "if":
            let condition = try child(value, pointer, key)
            var alternatives: [[Int]] = []
            if let then = schema["then"] {
                alternatives.append([condition, try opposite(of: child(then, pointer, "then"))])
            }
            if let otherwise = schema["else"] {
                let other = try child(otherwise, pointer, "else")
                alternatives.append([try opposite(of: condition), try opposite(of: other)])
            }
            return alternatives
        case "dependentRequired", "dependentSchemas", "dependencies":
            throw SchemaPlace(pointer: pointer, keyword: key).refusal("its opposite cannot be had")
        default: return []
        }
    }

    private mutating func opposites(of nodes: [Int]) throws(GrammarError) -> [Int] {
        var opposites: [Int] = []
        for node in nodes { opposites.append(try opposite(of: node)) }
        return opposites
    }

    /// The opposite of a fact: a value of the kind that the fact is about, of which something else is so.
    private mutating func alternatives(
        oppositeOf fact: SchemaFact, _ place: SchemaPlace
    ) throws(GrammarError) -> [[Int]] {
        func alternative(_ types: SchemaTypes, _ fact: SchemaFact?) throws(GrammarError) -> [Int] {
            var nodes = [try node(.types(types), place)]
            if let fact { nodes.append(try node(fact, place)) }
            return nodes
        }
        switch fact {
        case .types(let types): return [try alternative(SchemaTypes.all.subtracting(types), nil)]
        case .values(let list): return [try alternative(.all, .excluded(list))]
        case .excluded(let list): return [try alternative(.all, .values(list))]
        case .lower(let bound, let isExclusive):
            return [try alternative(.number, .upper(bound, isExclusive: !isExclusive))]
        case .upper(let bound, let isExclusive):
            return [try alternative(.number, .lower(bound, isExclusive: !isExclusive))]
        case .multiple(let divisor, true):
            return [try alternative(.fraction, nil), try alternative(.integer, .multiple(of: divisor, is: false))]
        case .multiple(let divisor, false): return [try alternative(.integer, .multiple(of: divisor, is: true))]
        case .minLength(let count): return count == 0 ? [] : [try alternative(.string, .maxLength(count - 1))]
        case .maxLength(let count): return [try alternative(.string, .minLength(count + 1))]
        case .pattern(let regex, let matches):
            return [try alternative(.string, .pattern(regex, matches: !matches))]
        case .required(let key):
            let never = try never(place)
            return [try alternative(.object, .object(ObjectRule(properties: [(key, never)])))]
        case .minProperties(let count): return count == 0 ? [] : [try alternative(.object, .maxProperties(count - 1))]
        case .maxProperties(let count): return [try alternative(.object, .minProperties(count + 1))]
        case .minItems(let count): return count == 0 ? [] : [try alternative(.array, .maxItems(count - 1))]
        case .maxItems(let count): return [try alternative(.array, .minItems(count + 1))]
        case .object(let rule) where rule.patterns.isEmpty && rule.additional == nil:
            var alternatives: [[Int]] = []
            for (key, value) in rule.properties {
                let other = try opposite(of: value)
                var nodes = try alternative(.object, .object(ObjectRule(properties: [(key, other)])))
                nodes.append(try node(.required(key), place))
                alternatives.append(nodes)
            }
            return alternatives
        case .array(let rule) where rule.prefix.isEmpty:
            guard let items = rule.items else { return [] }
            return [try alternative(.array, .contains(opposite(of: items), least: 1, most: nil))]
        case .contains(let item, 1, nil):
            return [try alternative(.array, .array(ArrayRule(items: opposite(of: item))))]
        case .format, .object, .array, .contains, .names, .uniqueItems:
            throw place.refusal("its opposite cannot be had")
        }
    }

    /// A node that nothing satisfies.
    private mutating func never(_ place: SchemaPlace) throws(GrammarError) -> Int { try node(.types([]), place) }
}
