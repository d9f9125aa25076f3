internal import JSON

/// What schemas that hold for a value look at in it, so that `unevaluatedProperties` and `unevaluatedItems` of one of them know what is
/// left over.
struct SchemaEvaluation: Hashable {
    /// The node of the schema that wants to know.
    let owner: Int
    fileprivate var keys: [String] = []
    fileprivate var regexes: [String] = []
    fileprivate var hasAllMembers = false
    fileprivate var prefix = 0
    fileprivate var hasAllElements = false
    /// Nodes: elements that satisfy one of them are looked at.
    fileprivate var contained: [Int] = []

    init(owner: Int) { self.owner = owner }

    /// Whether a schema says something of what others leave over.
    static func isWanted(by schema: JSONObject) -> Bool {
        ["unevaluatedProperties", "unevaluatedItems"].contains { schema[$0].map { $0 != .bool(true) } ?? false }
    }
}

extension SchemaNodes {
    /// Notes what a schema looks at.
    /// - Parameter node: Its own node; the owner's keywords for what is left over look at nothing.
    mutating func note(
        _ schema: JSONObject, _ site: SchemaSite, node: Int, in evaluation: inout SchemaEvaluation
    ) throws(GrammarError) {
        let isOwner = node == evaluation.owner
        if let members = schema["properties"] { evaluation.keys += try self.members(members, site, "properties").keys }
        if let members = schema["patternProperties"] {
            evaluation.regexes += try self.members(members, site, "patternProperties").keys
        }
        if schema["additionalProperties"] != nil || !isOwner && schema["unevaluatedProperties"] != nil {
            evaluation.hasAllMembers = true
        }
        var lists = [schema["prefixItems"]]
        if case .array? = schema["items"] { lists.append(schema["items"]) }
        for case .array(let list)? in lists { evaluation.prefix = max(evaluation.prefix, list.count) }
        let rest = lists.count > 1 ? "additionalItems" : "items"
        if schema[rest] != nil || !isOwner && schema["unevaluatedItems"] != nil { evaluation.hasAllElements = true }
        if let contains = schema["contains"] { evaluation.contained.append(try child(contains, site, "contains")) }
    }

    /// Nodes that say what has to be so of all that was not looked at.
    mutating func leftovers(of evaluation: SchemaEvaluation) throws(GrammarError) -> [Int] {
        if let known = leftovers[evaluation] { return known }
        guard case .written(.object(let schema), let site) = self[evaluation.owner] else { return [] }
        var nodes: [Int] = []
        if let value = schema["unevaluatedProperties"], !evaluation.hasAllMembers {
            let place = site.place("unevaluatedProperties")
            let anything = try node(.types(.all), place)
            let rule = ObjectRule(
                properties: evaluation.keys.map { ($0, anything) }, patterns: evaluation.regexes.map { ($0, anything) },
                additional: try child(value, site, "unevaluatedProperties"))
            nodes.append(try node(.object(rule), place))
        }
        if let value = schema["unevaluatedItems"], !evaluation.hasAllElements {
            let place = site.place("unevaluatedItems")
            let anything = try node(.types(.all), place)
            let items = try choice(of: [child(value, site, "unevaluatedItems")] + evaluation.contained)
            let rule = ArrayRule(prefix: Array(repeating: anything, count: evaluation.prefix), items: items)
            nodes.append(try node(.array(rule), place))
        }
        leftovers[evaluation] = nodes
        return nodes
    }
}
