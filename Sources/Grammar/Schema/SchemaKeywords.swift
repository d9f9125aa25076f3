internal import JSON

/// What the keywords of one schema say by themselves; those that join schemas are none of them.
extension SchemaNodes {
    /// The facts of a schema, read from its keywords.
    mutating func newFacts(
        _ schema: JSONObject, _ site: SchemaSite
    ) throws(GrammarError) -> [(SchemaFact, SchemaPlace)] {
        var facts: [(SchemaFact, SchemaPlace)] = []
        for (key, value) in schema {
            let place = site.place(key)
            if let fact = try scalarFact(key, value, schema, place) {
                facts.append((fact, place))
            } else if key == "required" {
                for name in try strings(value, place) { facts.append((.required(name), place)) }
            }
        }
        if let rule = try objectRule(schema, site) {
            facts.append((.object(rule), site.place("properties")))
        }
        if let rule = try arrayRule(schema, site) {
            facts.append((.array(rule), site.place("items")))
        }
        if let contains = schema["contains"] {
            let place = site.place("contains")
            let least = try count(schema["minContains"] ?? 1, site.place("minContains"))
            var most: Int?
            if let value = schema["maxContains"] {
                most = try count(value, site.place("maxContains"))
            }
            let node = try child(contains, site, "contains")
            if least > 0 || most != nil { facts.append((.contains(node, from: 0, least: least, most: most), place)) }
        }
        if let names = schema["propertyNames"] {
            let node = try child(names, site, "propertyNames")
            facts.append((.names(node), site.place("propertyNames")))
        }
        return facts
    }

    private func scalarFact(
        _ key: String, _ value: JSONValue, _ schema: JSONObject, _ place: SchemaPlace
    ) throws(GrammarError) -> SchemaFact? {
        switch key {
        case "type": return .types(try types(value, place))
        case "enum":
            guard case .array(let list) = value else { throw place.refusal("must be a list") }
            return .values(list)
        case "const": return .values([value])
        case "minLength": return .minLength(try count(value, place))
        case "maxLength": return .maxLength(try count(value, place))
        case "minItems": return .minItems(try count(value, place))
        case "maxItems": return .maxItems(try count(value, place))
        case "minProperties": return .minProperties(try count(value, place))
        case "maxProperties": return .maxProperties(try count(value, place))
        case "pattern": return .pattern(try string(value, place), matches: true)
        case "format": return .format(try string(value, place), matches: true)
        case "uniqueItems":
            guard case .bool(let flag) = value else { throw place.refusal("must be a boolean") }
            return flag ? .uniqueItems : nil
        case "multipleOf": return try multiple(value, place)
        case "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum":
            return try bound(key, value, schema, place)
        default: return nil
        }
    }

    private func types(_ value: JSONValue, _ place: SchemaPlace) throws(GrammarError) -> SchemaTypes {
        var names = [value]
        if case .array(let list) = value { names = list }
        var types: SchemaTypes = []
        for name in names {
            guard let text = name.stringValue, let type = SchemaTypes(name: text) else {
                throw place.refusal("\(JSON.encodeToString(name)) is no type")
            }
            types.formUnion(type)
        }
        return types
    }

    private func bound(
        _ key: String, _ value: JSONValue, _ schema: JSONObject, _ place: SchemaPlace
    ) throws(GrammarError) -> SchemaFact? {
        let isLower = key.hasSuffix("inimum")
        // Up to draft 4 the exclusive ones were flags of the others.
        if case .bool = value, key.hasPrefix("exclusive") { return nil }
        guard let bound = Decimal(value) else { throw place.refusal("must be a number") }
        let flag = schema[isLower ? "exclusiveMinimum" : "exclusiveMaximum"] == .bool(true)
        let isExclusive = key.hasPrefix("exclusive") || flag
        return isLower ? .lower(bound, isExclusive: isExclusive) : .upper(bound, isExclusive: isExclusive)
    }

    private func multiple(_ value: JSONValue, _ place: SchemaPlace) throws(GrammarError) -> SchemaFact {
        guard let divisor = Decimal(value), !divisor.isNegative, !divisor.isZero else {
            throw place.refusal("must be a number above 0")
        }
        guard let divisor = Divisor(divisor) else {
            throw place.refusal("can be had for numbers of up to 1000 of a power of ten only, not for \(divisor.text)")
        }
        return .multiple(of: divisor, is: true)
    }

    private mutating func objectRule(_ schema: JSONObject, _ site: SchemaSite) throws(GrammarError) -> ObjectRule? {
        var rule = ObjectRule()
        if let value = schema["properties"] {
            for (key, member) in try members(value, site, "properties") {
                rule.properties.append((key, try child(member, site, "properties", key)))
            }
        }
        if let value = schema["patternProperties"] {
            for (key, member) in try members(value, site, "patternProperties") {
                rule.patterns.append((key, try child(member, site, "patternProperties", key)))
            }
        }
        if let value = schema["additionalProperties"] {
            rule.additional = try child(value, site, "additionalProperties")
        }
        let isEmpty = rule.properties.isEmpty && rule.patterns.isEmpty && rule.additional == nil
        return isEmpty ? nil : rule
    }

    private mutating func arrayRule(_ schema: JSONObject, _ site: SchemaSite) throws(GrammarError) -> ArrayRule? {
        var rule = ArrayRule()
        if let value = schema["prefixItems"] { rule.prefix = try children(value, site, "prefixItems") }
        if let value = schema["items"] {
            if case .array(let list) = value {
                // Up to draft 2019-09 a list of schemas stood here.
                if !list.isEmpty { rule.prefix = try children(value, site, "items") }
                if let rest = schema["additionalItems"] { rule.items = try child(rest, site, "additionalItems") }
            } else {
                rule.items = try child(value, site, "items")
            }
        }
        return rule.prefix.isEmpty && rule.items == nil ? nil : rule
    }

    private func count(_ value: JSONValue, _ place: SchemaPlace) throws(GrammarError) -> Int {
        guard let number = Decimal(value), number.isInteger, !number.isNegative else {
            throw place.refusal("must be a count")
        }
        // Nobody writes that much; a bound beyond it binds nothing.
        return number.whole.count > 9 ? 1_000_000_000 : Int(number.text)!
    }

    private func string(_ value: JSONValue, _ place: SchemaPlace) throws(GrammarError) -> String {
        guard let text = value.stringValue else { throw place.refusal("must be a string") }
        return text
    }

    /// The strings of a list.
    func strings(_ value: JSONValue, _ place: SchemaPlace) throws(GrammarError) -> [String] {
        guard case .array(let list) = value else { throw place.refusal("must be a list of strings") }
        var texts: [String] = []
        for element in list { texts.append(try string(element, place)) }
        return texts
    }
}
