internal import JSON

/// Reads structural tags: free text with parts that another format binds. Both forms are read: the older one of `structures` and
/// `triggers`, and that of xgrammar with a `format`.
struct StructuralTag {
    private var rules = PlacedRules()
    private let layout: JSONLayout
    private let specials: [[UInt8]]
    private let mostDepth: Int
    private var budget: Budget

    /// The rules of a structural tag, and the number of its root.
    static func compile(
        _ text: String, options: GrammarOptions, _ budget: inout Budget
    ) throws(GrammarError) -> (rules: PlacedRules, root: Int) {
        let value = try SchemaCompiler.parse(text, depth: budget.limits.depth)
        let layout = try JSONLayout(options.whitespace, &budget)
        var tag = StructuralTag(layout, options.specialTokens, budget)
        let root = try tag.root(TagCursor(value: value, pointer: ""))
        budget = tag.budget
        tag.rules.expressions.append(root)
        return (tag.rules, tag.rules.expressions.count - 1)
    }

    private init(_ layout: JSONLayout, _ specials: [String], _ budget: Budget) {
        self.layout = layout
        // The longest that fits is what a tokenizer finds.
        self.specials = specials.map { Array($0.utf8) }.filter { !$0.isEmpty }.sorted { $0.count > $1.count }
        self.budget = budget
        mostDepth = budget.limits.depth
    }

    private mutating func root(_ tag: TagCursor) throws(GrammarError) -> Expression {
        if let format = tag["format"] { return try expression(format, depth: 0) }
        guard tag["structures"] != nil else { throw tag.refusal("neither \"format\" nor \"structures\" is there") }
        var tags: [Tag] = []
        for structure in try tag.required("structures").elements() {
            let schema = structure["schema"]?.value ?? .bool(true)
            let content = try self.schema(schema)
            tags.append(
                Tag(
                    begin: try structure.required("begin").text(), content: content,
                    ends: [try structure.required("end").text()]))
        }
        let triggers = try tag.required("triggers").texts()
        return try triggered(TriggeredTags(triggers: triggers, tags: tags), tag)
    }

    // MARK: Formats

    private mutating func expression(_ format: TagCursor, depth: Int) throws(GrammarError) -> Expression {
        guard depth < mostDepth else { throw format.refusal("formats are nested deeper than \(mostDepth)") }
        try budget.spend(states: 1)
        let kind = try format.required("type")
        switch try kind.text() {
        case "const_string": return marked(try format.required("value").text())
        case "json_schema":
            if let style = format["style"], try style.text() != "json" {
                throw style.refusal("only \"json\" can be had")
            }
            return try schema(format.required("json_schema").value)
        case "any_text": return FreeText(excludes: try excluded(format)).expression
        case "regex":
            let pattern = try format.required("pattern")
            return try pattern.relocating { () throws(GrammarError) in
                .text(try Automaton.matching(try pattern.text(), .whole, &budget), .plain)
            }
        case "grammar":
            let grammar = try format.required("grammar")
            return try grammar.relocating { () throws(GrammarError) in try ebnf(try grammar.text()) }
        case "sequence": return .sequence(try expressions(format, depth))
        case "or": return .choice(try expressions(format, depth))
        case "tag": return try tag(format, depth: depth).expression(marked)
        case "triggered_tags":
            var tags = TriggeredTags(
                triggers: try format.required("triggers").texts(), tags: try self.tags(format, depth))
            tags.excludes = try excluded(format)
            tags.atLeastOne = try format["at_least_one"]?.flag() ?? false
            tags.stopsAfterFirst = try format["stop_after_first"]?.flag() ?? false
            return try triggered(tags, format)
        case "tags_with_separator": return try separated(format, depth)
        case "optional": return .optional(try expression(format.required("content"), depth: depth + 1))
        case "star":
            return .repeated(try expression(format.required("content"), depth: depth + 1), from: 0, through: nil)
        case "plus":
            return .repeated(try expression(format.required("content"), depth: depth + 1), from: 1, through: nil)
        case "repeat":
            let most = try format.required("max").number(least: -1)
            let least = try format.required("min").number(least: 0)
            let content = try expression(format.required("content"), depth: depth + 1)
            return .repeated(content, from: least, through: most < 0 ? nil : most)
        case "token":
            let token = try format.required("token")
            return .marker(Array(try token.text().utf8))
        case let name: throw kind.refusal("the format \(name) cannot be had")
        }
    }

    private mutating func expressions(_ format: TagCursor, _ depth: Int) throws(GrammarError) -> [Expression] {
        var parts: [Expression] = []
        for element in try format.required("elements").elements() {
            parts.append(try expression(element, depth: depth + 1))
        }
        if parts.isEmpty { throw format.refusal("\"elements\" is empty") }
        return parts
    }

    private func excluded(_ format: TagCursor) throws(GrammarError) -> [String] {
        let texts = try format["excludes"]?.texts() ?? []
        if texts.contains(where: \.isEmpty) { throw format.refusal("an excluded text is empty") }
        return texts
    }

    private mutating func schema(_ value: JSONValue) throws(GrammarError) -> Expression {
        .rule(try SchemaCompiler.compile(value, layout: layout, adding: &rules, &budget))
    }

    private mutating func ebnf(_ text: String) throws(GrammarError) -> Expression {
        let (parsed, root) = try EBNFParser.parse(text, depth: mostDepth)
        let offset = rules.expressions.count
        rules.expressions += parsed.map { $0.shifted(by: offset) }
        return .rule(root + offset)
    }

    private mutating func tags(_ format: TagCursor, _ depth: Int) throws(GrammarError) -> [Tag] {
        var tags: [Tag] = []
        for element in try format.required("tags").elements() { tags.append(try tag(element, depth: depth + 1)) }
        if tags.isEmpty { throw format.refusal("\"tags\" is empty") }
        return tags
    }

    private mutating func tag(_ format: TagCursor, depth: Int) throws(GrammarError) -> Tag {
        let end = try format.required("end")
        let begin = try format.required("begin").markerText()
        let ends: [String]
        if case .array = end.value { ends = try end.texts() } else { ends = [try end.markerText()] }
        let inner = try format.required("content")
        // Text that ends where the tag does cannot hold what ends it.
        if inner["type"]?.value == "any_text", !ends.contains("") {
            return Tag(begin: begin, content: FreeText(excludes: try excluded(inner) + ends).expression, ends: ends)
        }
        return Tag(begin: begin, content: try expression(inner, depth: depth + 1), ends: ends)
    }

    private mutating func separated(_ format: TagCursor, _ depth: Int) throws(GrammarError) -> Expression {
        let tags = Expression.choice(try self.tags(format, depth).map { $0.expression(marked) })
        let separator = marked(try format.required("separator").text())
        let stops = try format["stop_after_first"]?.flag() ?? false
        let more = Expression.repeated(.sequence([separator, tags]), from: 0, through: nil)
        let some = stops ? tags : .sequence([tags, more])
        return try format["at_least_one"]?.flag() ?? false ? some : .optional(some)
    }

    // MARK: Triggers

    /// Free text in which each trigger begins a tag.
    private func triggered(_ tags: TriggeredTags, _ place: TagCursor) throws(GrammarError) -> Expression {
        guard !tags.triggers.isEmpty, !tags.triggers.contains(where: \.isEmpty) else {
            throw place.refusal("\"triggers\" must be texts")
        }
        var behind: [Expression] = []
        for trigger in tags.triggers {
            let begun = tags.tags.filter { $0.begin.utf8.starts(with: trigger.utf8) }
            guard !begun.isEmpty else { throw place.refusal("no tag begins with the trigger \(trigger)") }
            behind.append(.choice(begun.map { $0.rest(behind: trigger, marked) }))
        }
        for tag in tags.tags where !tags.triggers.contains(where: { tag.begin.utf8.starts(with: $0.utf8) }) {
            throw place.refusal("the tag \(tag.begin) begins with no trigger")
        }
        var graph = ExpressionGraph()
        let free = FreeText(triggers: tags.triggers, excludes: tags.excludes)
        let first = free.lay(in: &graph, specials: specials)
        graph.join(0, .empty, first.start)
        let later = tags.stopsAfterFirst ? graph.node() : tags.atLeastOne ? -1 : first.start
        var again = later
        var behindLater: FreeText.Nodes?
        if later < 0 {
            behindLater = free.lay(in: &graph, specials: specials)
            again = behindLater!.start
        }
        for (index, expression) in behind.enumerated() {
            graph.join(first.triggers[index], expression, again)
            if let behindLater { graph.join(behindLater.triggers[index], expression, again) }
        }
        if !tags.atLeastOne { graph.ends.formUnion(first.ends) }
        if tags.stopsAfterFirst { graph.ends.insert(later) }
        if let behindLater { graph.ends.formUnion(behindLater.ends) }
        return .graph(graph)
    }

    /// A text in which special tokens may stand for what is written like them.
    private func marked(_ text: String) -> Expression {
        var parts: [Expression] = []
        var plain: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.first {
            if let special = specials.first(where: { rest.starts(with: $0) }) {
                if !plain.isEmpty { parts.append(.bytes(plain)) }
                plain = []
                parts.append(.marker(special))
                rest = rest.dropFirst(special.count)
            } else {
                plain.append(byte)
                rest = rest.dropFirst()
            }
        }
        if !plain.isEmpty || parts.isEmpty { parts.append(.bytes(plain)) }
        return parts.count == 1 ? parts[0] : .sequence(parts)
    }
}

/// A part of a text with what stands around it.
private struct Tag {
    let begin: String
    let content: Expression
    let ends: [String]

    func expression(_ marked: (String) -> Expression) -> Expression {
        .sequence([marked(begin), content, .choice(ends.map(marked))])
    }

    /// What comes behind a trigger that is a beginning of `begin`.
    func rest(behind trigger: String, _ marked: (String) -> Expression) -> Expression {
        let rest = String(decoding: Array(begin.utf8.dropFirst(trigger.utf8.count)), as: UTF8.self)
        return .sequence([marked(rest), content, .choice(ends.map(marked))])
    }
}

/// Tags in free text.
private struct TriggeredTags {
    let triggers: [String]
    let tags: [Tag]
    var excludes: [String] = []
    var atLeastOne = false
    var stopsAfterFirst = false

    init(triggers: [String], tags: [Tag]) {
        self.triggers = triggers
        self.tags = tags
    }
}

extension Expression {
    /// The same with other numbers of rules.
    fileprivate func shifted(by offset: Int) -> Expression {
        switch self {
        case .empty, .never, .bytes, .byte, .scalar, .text, .marker, .graph: self
        case .sequence(let parts): .sequence(parts.map { $0.shifted(by: offset) })
        case .choice(let parts): .choice(parts.map { $0.shifted(by: offset) })
        case .repeated(let part, let least, let most): .repeated(part.shifted(by: offset), from: least, through: most)
        case .rule(let rule): .rule(rule + offset)
        }
    }
}
