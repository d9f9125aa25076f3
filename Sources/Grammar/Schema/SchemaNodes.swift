internal import JSON

/// A schema, or a part of one, or the opposite of one.
enum SchemaNode {
    /// One that stands in the document.
    case written(JSONValue, SchemaSite)
    /// One fact, which came of the opposite of a schema.
    case made(SchemaFact, SchemaPlace)
    /// What another does not allow.
    case opposite(of: Int)
    /// What any of some allows.
    case choice(of: [Int])
}

/// All nodes that were met, by number, so that sets of them can be compared.
struct SchemaNodes {
    let document: SchemaDocument
    private var nodes: [SchemaNode] = []
    private var written: [SchemaSite: Int] = [:]
    private var scopes = SchemaScopes()
    /// The node of what schemas leave over, by what they looked at.
    var leftovers: [SchemaEvaluation: [Int]] = [:]
    /// What schemas say by themselves, by where they stand.
    private var factsOf: [SchemaSite: [(SchemaFact, SchemaPlace)]] = [:]
    private var opposites: [Int: Int] = [:]
    private let most: Int

    init(_ document: SchemaDocument, most: Int) {
        self.document = document
        self.most = most
    }

    subscript(node: Int) -> SchemaNode { nodes[node] }

    /// Where a schema stands; nil for one that stands nowhere.
    func site(of node: Int?) -> SchemaSite? {
        if let node, case .written(_, let site) = nodes[node] { site } else { nil }
    }

    /// The node of a schema in the document.
    /// - Parameter scope: That of the schema it is reached from.
    mutating func node(_ value: JSONValue, at pointer: String, scope: Int = 0) throws(GrammarError) -> Int {
        let anchors = document.dynamicAnchors(around: pointer)
        let site = SchemaSite(pointer: pointer, scope: scopes.entering(anchors, from: scope))
        if let number = written[site] { return number }
        switch value {
        case .object, .bool: break
        default: throw site.place(nil).refusal("a schema must be an object or a boolean")
        }
        let number = try add(.written(value, site))
        written[site] = number
        return number
    }

    /// The facts of a schema that stands in the document.
    mutating func facts(_ schema: JSONObject, _ site: SchemaSite) throws(GrammarError) -> [(SchemaFact, SchemaPlace)] {
        if let known = factsOf[site] { return known }
        let facts = try newFacts(schema, site)
        factsOf[site] = facts
        return facts
    }

    /// The node of a fact.
    mutating func node(_ fact: SchemaFact, _ place: SchemaPlace) throws(GrammarError) -> Int {
        try add(.made(fact, place))
    }

    /// The node of what another does not allow.
    mutating func opposite(of node: Int) throws(GrammarError) -> Int {
        if case .opposite(let inner) = nodes[node] { return inner }
        if let number = opposites[node] { return number }
        let number = try add(.opposite(of: node))
        opposites[node] = number
        return number
    }

    /// The node of what any of some others allows.
    mutating func choice(of nodes: [Int]) throws(GrammarError) -> Int {
        nodes.count == 1 ? nodes[0] : try add(.choice(of: nodes))
    }

    private mutating func add(_ node: SchemaNode) throws(GrammarError) -> Int {
        guard nodes.count < most else { throw GrammarError(beyond: "it falls apart into more than \(most) schemas") }
        nodes.append(node)
        return nodes.count - 1
    }

    /// The node that a reference leads to.
    /// - Parameter keyword: `$ref`, `$dynamicRef` or `$recursiveRef`.
    mutating func target(
        of reference: JSONValue, at site: SchemaSite, _ keyword: String = "$ref"
    ) throws(GrammarError) -> Int {
        let place = site.place(keyword)
        guard let text = reference.stringValue else { throw place.refusal("must be a string") }
        if keyword == "$recursiveRef", !document.isOneResource {
            throw place.refusal("cannot be had where schemas with a $id of their own stand in one document")
        }
        guard var target = document.target(of: text, at: site.pointer) else {
            throw place.refusal("\(text) is not within the document; other documents are not fetched")
        }
        if keyword == "$dynamicRef", let anchor = document.dynamicAnchor(of: text, at: site.pointer) {
            target = scopes.target(of: anchor, in: site.scope) ?? target
        }
        guard let value = document.value(at: target) else { throw place.refusal("nothing stands at \(text)") }
        guard !leadsBack(target, to: site.pointer) else { throw place.refusal("\(text) leads back to itself") }
        return try node(value, at: target, scope: site.scope)
    }

    /// Whether the schema at a place stands for the one at another, which refers to it, without anything between: by references alone, or
    /// as what holds it in place.
    private func leadsBack(_ target: String, to pointer: String) -> Bool {
        var target = target
        var seen: Set<String> = []
        while seen.insert(target).inserted {
            if Self.holds(target, pointer) { return true }
            guard case .object(let schema)? = document.value(at: target), let reference = schema["$ref"]?.stringValue,
                let next = document.target(of: reference, at: target)
            else { return false }
            target = next
        }
        return true
    }

    /// Whether one place is another, or a part of it that applies to the same value.
    private static func holds(_ outer: String, _ inner: String) -> Bool {
        guard inner.hasPrefix(outer) else { return false }
        let rest = inner.dropFirst(outer.count)
        guard rest.isEmpty || rest.hasPrefix("/") else { return false }
        let inPlace: Set<Substring> = ["allOf", "anyOf", "oneOf", "not", "if", "then", "else"]
        return rest.split(separator: "/").allSatisfy { inPlace.contains($0) || $0.allSatisfy(\.isNumber) }
    }

    /// The node of a member of a schema that is a schema itself.
    mutating func child(_ value: JSONValue, _ site: SchemaSite, _ path: String...) throws(GrammarError) -> Int {
        let pointer = path.reduce(site.pointer) { $0 + "/" + SchemaDocument.escaped($1) }
        return try node(value, at: pointer, scope: site.scope)
    }

    /// The nodes of a member that is a list of schemas.
    mutating func children(_ value: JSONValue, _ site: SchemaSite, _ key: String) throws(GrammarError) -> [Int] {
        guard case .array(let list) = value, !list.isEmpty else {
            throw site.place(key).refusal("must be a list of schemas")
        }
        var children: [Int] = []
        for (index, element) in list.enumerated() { children.append(try child(element, site, key, "\(index)")) }
        return children
    }

    /// The members of a member that is an object.
    func members(_ value: JSONValue, _ site: SchemaSite, _ key: String) throws(GrammarError) -> JSONObject {
        guard case .object(let object) = value else {
            throw site.place(key).refusal("must be an object")
        }
        return object
    }
}
