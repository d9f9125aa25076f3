/// Where a schema stands, and what `$dynamicRef` means there.
struct SchemaSite: Hashable {
    let pointer: String
    /// The number of a scope.
    let scope: Int

    /// A keyword there, for complaints.
    func place(_ keyword: String?) -> SchemaPlace { SchemaPlace(pointer: pointer, keyword: keyword) }
}

/// Which schemas dynamic anchors stand for, by number. That depends on the resources through which one came: the first that has an
/// anchor decides.
struct SchemaScopes {
    private var scopes: [[String: String]] = [[:]]
    private var numbers: [[String: String]: Int] = [[:]: 0]

    /// The scope behind the edge of a resource that has these anchors.
    mutating func entering(_ anchors: [String: String], from scope: Int) -> Int {
        if anchors.isEmpty { return scope }
        let inside = scopes[scope].merging(anchors) { outer, _ in outer }
        if let number = numbers[inside] { return number }
        numbers[inside] = scopes.count
        scopes.append(inside)
        return scopes.count - 1
    }

    /// Where the schema of an anchor stands; nil where no resource had it.
    func target(of anchor: String, in scope: Int) -> String? { scopes[scope][anchor] }
}
