internal import JSON

/// A schema, or a part of one, or the opposite of one.
enum SchemaNode {
    /// One that stands in the document.
    case written(JSONValue, pointer: String)
    /// One fact, which came of the opposite of a schema.
    case made(SchemaFact, SchemaPlace)
    /// What another does not allow.
    case opposite(of: Int)
}

/// All nodes that were met, by number, so that sets of them can be compared.
struct SchemaNodes {
    let document: SchemaDocument
    private var nodes: [SchemaNode] = []
    private var written: [String: Int] = [:]
    private var opposites: [Int: Int] = [:]
    private let most: Int

    init(_ document: SchemaDocument, most: Int) {
        self.document = document
        self.most = most
    }

    subscript(node: Int) -> SchemaNode { nodes[node] }

    /// The node of a schema in the document.
    mutating func node(_ value: JSONValue, at pointer: String) throws(GrammarError) -> Int {
        if let number = written[pointer] { return number }
        switch value {
        case .object, .bool: break
        default:
            throw GrammarError("a schema must be an object or a boolean", at: .pointer(pointer, keyword: nil))
        }
        let number = try add(.written(value, pointer: pointer))
        written[pointer] = number
        return number
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

    private mutating func add(_ node: SchemaNode) throws(GrammarError) -> Int {
        guard nodes.count < most else { throw GrammarError("it falls apart into more than \(most) schemas") }
        nodes.append(node)
        return nodes.count - 1
    }

    /// The node that a reference leads to.
    mutating func target(of reference: JSONValue, at pointer: String) throws(GrammarError) -> Int {
        let place = SchemaPlace(pointer: pointer, keyword: "$ref")
        guard let text = reference.stringValue else { throw place.refusal("must be a string") }
        guard let target = document.target(of: text, at: pointer) else {
            throw place.refusal("\(text) is not within the document; other documents are not fetched")
        }
        guard let value = document.value(at: target) else { throw place.refusal("nothing stands at \(text)") }
        guard !leadsBack(target, to: pointer) else { throw place.refusal("\(text) leads back to itself") }
        return try node(value, at: target)
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
    mutating func child(_ value: JSONValue, _ pointer: String, _ path: String...) throws(GrammarError) -> Int {
        try node(value, at: path.reduce(pointer) { $0 + "/" + SchemaDocument.escaped($1) })
    }

    /// The nodes of a member that is a list of schemas.
    mutating func children(_ value: JSONValue, _ pointer: String, _ key: String) throws(GrammarError) -> [Int] {
        guard case .array(let list) = value, !list.isEmpty else {
            throw SchemaPlace(pointer: pointer, keyword: key).refusal("must be a list of schemas")
        }
        var children: [Int] = []
        for (index, element) in list.enumerated() { children.append(try child(element, pointer, key, "\(index)")) }
        return children
    }

    /// The members of a member that is an object.
    func members(_ value: JSONValue, _ pointer: String, _ key: String) throws(GrammarError) -> JSONObject {
        guard case .object(let object) = value else {
            throw SchemaPlace(pointer: pointer, keyword: key).refusal("must be an object")
        }
        return object
    }
}
