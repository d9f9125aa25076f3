internal import JSON

/// What a schema does not allow, as alternatives: each is a list of nodes that hold together.
extension SchemaNodes {
    /// The alternatives of the opposite of a node.
    mutating func alternatives(oppositeOf node: Int) throws(GrammarError) -> [[Int]] {
        switch self[node] {
        case .opposite(let inner): return [[inner]]
        case .choice(let nodes): return [try opposites(of: nodes)]
        case .made(let fact, let place): return try alternatives(oppositeOf: fact, place)
        case .written(.bool(let flag), _): return flag ? [] : [[]]
        case .written(let value, let site):
            guard case .object(let schema) = value else { return [] }
            var alternatives: [[Int]] = []
            for (fact, place) in try facts(schema, site) {
                alternatives += try self.alternatives(oppositeOf: fact, place)
            }
            for (key, value) in schema {
                alternatives += try self.alternatives(oppositeOf: key, value, schema, site)
            }
            return alternatives
        }
    }

    /// The opposite of a keyword that joins schemas.
    private mutating func alternatives(
        oppositeOf key: String, _ value: JSONValue, _ schema: JSONObject, _ site: SchemaSite
    ) throws(GrammarError) -> [[Int]] {
        switch key {
        case "$ref", "$dynamicRef", "$recursiveRef": return [[try opposite(of: target(of: value, at: site, key))]]
        case "allOf":
            var alternatives: [[Int]] = []
            for child in try children(value, site, key) { alternatives.append([try opposite(of: child)]) }
            return alternatives
        case "anyOf": return [try opposites(of: children(value, site, key))]
        case "oneOf":
            let all = try children(value, site, key)
            var alternatives = [try opposites(of: all)]
            for (index, one) in all.enumerated() {
                for other in all[(index + 1)...] { alternatives.append([one, other]) }
            }
            return alternatives
        case "not": return [[try child(value, site, key)]]
        case "if":
            let condition = try child(value, site, key)
            var alternatives: [[Int]] = []
            if let then = schema["then"] {
                alternatives.append([condition, try opposite(of: child(then, site, "then"))])
            }
            if let otherwise = schema["else"] {
                let other = try child(otherwise, site, "else")
                alternatives.append([try opposite(of: condition), try opposite(of: other)])
            }
            return alternatives
        case "dependentRequired", "dependentSchemas", "dependencies":
            return try alternatives(oppositeOfDependencies: value, site, key)
        case "unevaluatedProperties", "unevaluatedItems":
            if value == .bool(true) { return [] }
            throw site.place(key).refusal("its opposite cannot be had")
        default: return []
        }
    }

    /// A member is there, and what it asks for is not so.
    private mutating func alternatives(
        oppositeOfDependencies value: JSONValue, _ site: SchemaSite, _ key: String
    ) throws(GrammarError) -> [[Int]] {
        let place = site.place(key)
        var alternatives: [[Int]] = []
        for (name, member) in try members(value, site, key) {
            let required = try node(.required(name), place)
            guard case .array = member else {
                alternatives.append([required, try opposite(of: child(member, site, key, name))])
                continue
            }
            for other in try strings(member, place) {
                alternatives.append([required, try opposite(of: node(.required(other), place))])
            }
        }
        return alternatives
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
        case .multiple(let divisor, true) where divisor.isInteger:
            return [try alternative(.fraction, nil), try alternative(.integer, .multiple(of: divisor, is: false))]
        case .multiple(let divisor, let isSo):
            let types: SchemaTypes = divisor.isInteger ? .integer : .number
            return [try alternative(types, .multiple(of: divisor, is: !isSo))]
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
        case .object(let rule) where bindsNamedOnly(rule):
            var alternatives: [[Int]] = []
            for (key, value) in rule.properties where !isAnything(value) {
                let other = try opposite(of: value)
                var nodes = try alternative(.object, .object(ObjectRule(properties: [(key, other)])))
                nodes.append(try node(.required(key), place))
                alternatives.append(nodes)
            }
            return alternatives
        case .array(let rule): return try alternatives(oppositeOf: rule, place)
        case .contains(let item, let from, let least, let most):
            var alternatives: [[Int]] = []
            if least > 0 {
                let fewer = SchemaFact.contains(item, from: from, least: 0, most: least - 1)
                alternatives.append(try alternative(.array, fewer))
            }
            if let most {
                alternatives.append(try alternative(.array, .contains(item, from: from, least: most + 1, most: nil)))
            }
            return alternatives
        case .format(let name, let matches) where SchemaFormat.isExact(name):
            return [try alternative(.string, .format(name, matches: !matches))]
        case .object, .names, .format, .uniqueItems: throw place.refusal("its opposite cannot be had")
        }
    }

    /// Some element is not what it has to be.
    private mutating func alternatives(
        oppositeOf rule: ArrayRule, _ place: SchemaPlace
    ) throws(GrammarError) -> [[Int]] {
        let array = try node(.types(.array), place)
        let anything = try node(.types(.all), place)
        var alternatives: [[Int]] = []
        for (index, element) in rule.prefix.enumerated() where !isAnything(element) {
            let prefix = Array(repeating: anything, count: index) + [try opposite(of: element)]
            alternatives.append([
                array, try node(.minItems(index + 1), place), try node(.array(ArrayRule(prefix: prefix)), place),
            ])
        }
        if let items = rule.items, !isAnything(items) {
            let other = try opposite(of: items)
            alternatives.append([
                array, try node(.contains(other, from: rule.prefix.count, least: 1, most: nil), place),
            ])
        }
        return alternatives
    }

    /// Whether a rule says nothing of members but of those that it names.
    private func bindsNamedOnly(_ rule: ObjectRule) -> Bool {
        rule.patterns.allSatisfy { isAnything($0.node) } && rule.additional.map { isAnything($0) } ?? true
    }

    /// Whether a schema plainly allows all there is.
    private func isAnything(_ node: Int) -> Bool {
        switch self[node] {
        case .written(.bool(true), _): true
        case .written(.object(let schema), _): schema.isEmpty
        default: false
        }
    }

    /// A node that nothing satisfies.
    private mutating func never(_ place: SchemaPlace) throws(GrammarError) -> Int { try node(.types([]), place) }
}
