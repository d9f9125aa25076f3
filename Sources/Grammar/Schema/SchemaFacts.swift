internal import JSON

/// Kinds of JSON values.
struct SchemaTypes: OptionSet, Hashable {
    let rawValue: UInt8
    static let null = SchemaTypes(rawValue: 1)
    static let boolean = SchemaTypes(rawValue: 2)
    static let integer = SchemaTypes(rawValue: 4)
    /// Numbers that are no integers.
    static let fraction = SchemaTypes(rawValue: 8)
    static let string = SchemaTypes(rawValue: 16)
    static let array = SchemaTypes(rawValue: 32)
    static let object = SchemaTypes(rawValue: 64)
    static let number: SchemaTypes = [.integer, .fraction]
    static let all = SchemaTypes(rawValue: 127)

    /// The types of a name; nil for an unknown one.
    init?(name: String) {
        switch name {
        case "null": self = .null
        case "boolean": self = .boolean
        case "integer": self = .integer
        case "number": self = .number
        case "string": self = .string
        case "array": self = .array
        case "object": self = .object
        default: return nil
        }
    }

    init(rawValue: UInt8) { self.rawValue = rawValue }

    /// The type of a value.
    init(of value: JSONValue) {
        switch value {
        case .null: self = .null
        case .bool: self = .boolean
        case .int, .unsigned: self = .integer
        case .double(let number): self = number == number.rounded() ? .integer : .fraction
        case .string: self = .string
        case .array: self = .array
        case .object: self = .object
        }
    }
}

/// One thing that a schema says of values. Each says nothing of values of other types than it is about.
enum SchemaFact {
    case types(SchemaTypes)
    /// One of these, and none of those.
    case values([JSONValue])
    case excluded([JSONValue])
    case lower(Decimal, isExclusive: Bool)
    case upper(Decimal, isExclusive: Bool)
    case multiple(of: Divisor, is: Bool)
    case minLength(Int)
    case maxLength(Int)
    case pattern(String, matches: Bool)
    case format(String, matches: Bool)
    case object(ObjectRule)
    case required(String)
    case minProperties(Int)
    case maxProperties(Int)
    case names(Int)
    case array(ArrayRule)
    case minItems(Int)
    case maxItems(Int)
    /// Elements from a place on.
    case contains(Int, from: Int, least: Int, most: Int?)
    case uniqueItems
}

/// What one schema says of an object's members: those that it names, those whose keys match patterns, and all others.
struct ObjectRule {
    /// Members in the schema's order, with the nodes of their schemas.
    var properties: [(key: String, node: Int)] = []
    var patterns: [(regex: String, node: Int)] = []
    var additional: Int?
}

/// What one schema says of an array's elements: those at the beginning, and all others.
struct ArrayRule {
    var prefix: [Int] = []
    var items: Int?
}

/// All that some schemas together say of a value.
struct SchemaFacts {
    var types = SchemaTypes.all
    var values: [JSONValue]?
    var excluded: [JSONValue] = []
    var lower: (bound: Decimal, isExclusive: Bool)?
    var upper: (bound: Decimal, isExclusive: Bool)?
    var multiples: [(of: Divisor, is: Bool)] = []
    var minLength = 0
    var maxLength: Int?
    var patterns: [(regex: String, matches: Bool, place: SchemaPlace)] = []
    var formats: [(name: String, matches: Bool, place: SchemaPlace)] = []
    var objects: [ObjectRule] = []
    private(set) var required: [String] = []
    private var requiredKeys: Set<[UInt8]> = []
    var minProperties = 0
    var maxProperties: Int?
    var names: [Int] = []
    var arrays: [ArrayRule] = []
    var minItems = 0
    var maxItems: Int?
    var contains: [(node: Int, from: Int, least: Int, most: Int?)] = []
    var isUnique = false
    /// The first schema that says something, for complaints.
    var place = SchemaPlace(pointer: "", keyword: nil)

    /// Whether a member must be there.
    func requires(_ key: String) -> Bool { requiredKeys.contains(Array(key.utf8)) }

    /// Adds a fact.
    mutating func add(_ fact: SchemaFact, _ place: SchemaPlace) {
        switch fact {
        case .types(let types): self.types.formIntersection(types)
        case .values(let list):
            guard let old = values else { return values = list }
            let set = ValueSet(list)
            values = old.filter { set.holds($0) }
        case .excluded(let list): excluded += list
        case .lower(let bound, let isExclusive):
            if let old = lower, old.bound > bound || old.bound == bound && old.isExclusive { return }
            lower = (bound, isExclusive)
        case .upper(let bound, let isExclusive):
            if let old = upper, old.bound < bound || old.bound == bound && old.isExclusive { return }
            upper = (bound, isExclusive)
        case .multiple(let divisor, let isSo): multiples.append((divisor, isSo))
        case .minLength(let count): minLength = max(minLength, count)
        case .maxLength(let count): maxLength = min(maxLength ?? count, count)
        case .pattern(let regex, let matches): patterns.append((regex, matches, place))
        case .format(let name, let matches): formats.append((name, matches, place))
        case .object(let rule): objects.append(rule)
        case .required(let key): if requiredKeys.insert(Array(key.utf8)).inserted { required.append(key) }
        case .minProperties(let count): minProperties = max(minProperties, count)
        case .maxProperties(let count): maxProperties = min(maxProperties ?? count, count)
        case .names(let node): names.append(node)
        case .array(let rule): arrays.append(rule)
        case .minItems(let count): minItems = max(minItems, count)
        case .maxItems(let count): maxItems = min(maxItems ?? count, count)
        case .contains(let node, let from, let least, let most): contains.append((node, from, least, most))
        case .uniqueItems: isUnique = true
        }
    }
}

extension SchemaFacts {
    /// The keyword that asks for most, for complaints about limits.
    var heaviest: SchemaPlace {
        if let pattern = patterns.first(where: { $0.regex.utf8.count > 16 }) { return pattern.place }
        let sizes = [
            ("pattern", patterns.count), ("minLength", minLength), ("maxLength", maxLength ?? 0),
            ("minItems", minItems),
            ("maxItems", maxItems ?? 0), ("minProperties", minProperties), ("maxProperties", maxProperties ?? 0),
            ("enum", values?.count ?? 0), ("properties", objects.map(\.properties.count).max() ?? 0),
            ("contains", contains.map { max($0.least, $0.most ?? 0) }.max() ?? 0),
        ]
        let most = sizes.max { $0.1 < $1.1 }!
        return SchemaPlace(pointer: place.pointer, keyword: most.1 > 0 ? most.0 : nil)
    }
}

/// Where something stands in a schema.
struct SchemaPlace: Hashable, Sendable {
    let pointer: String
    let keyword: String?

    /// The error for a complaint about it.
    func refusal(_ reason: String) -> GrammarError { GrammarError(reason, at: .pointer(pointer, keyword: keyword)) }
}

extension String {
    /// Byte for byte the same, as keys of JSON are compared.
    func isSame(as other: String) -> Bool { utf8.elementsEqual(other.utf8) }
}

/// Values among which others are looked for often.
struct ValueSet {
    private var texts: Set<[UInt8]> = []
    private var numbers: Set<Decimal> = []
    private var others: [JSONValue] = []

    init(_ values: [JSONValue]) {
        for value in values {
            if let text = value.stringValue {
                texts.insert(Array(text.utf8))
            } else if let number = Decimal(value) {
                numbers.insert(number)
            } else {
                others.append(value)
            }
        }
    }

    /// Whether a value equals one of them.
    func holds(_ value: JSONValue) -> Bool {
        if let text = value.stringValue { return texts.contains(Array(text.utf8)) }
        if let number = Decimal(value) { return numbers.contains(number) }
        return others.holds(value)
    }
}

extension [JSONValue] {
    /// Whether a value equals one of these.
    func holds(_ value: JSONValue) -> Bool { contains { $0.isSame(as: value) } }
}

extension JSONValue {
    /// Equal as JSON Schema says it: numbers by their value, strings by their scalars.
    func isSame(as other: JSONValue) -> Bool {
        switch (self, other) {
        case (.string(let a), .string(let b)): a.isSame(as: b)
        case (.array(let a), .array(let b)): a.count == b.count && zip(a, b).allSatisfy { $0.isSame(as: $1) }
        case (.object(let a), .object(let b)):
            a.count == b.count && a.allSatisfy { key, value in b[key].map { $0.isSame(as: value) } ?? false }
        case (.null, .null): true
        case (.bool(let a), .bool(let b)): a == b
        default:
            if let a = Decimal(self), let b = Decimal(other) { a == b } else { false }
        }
    }
}
