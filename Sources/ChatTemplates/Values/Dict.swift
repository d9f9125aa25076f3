/// A dictionary in the order in which its keys came.
final class Dict {
    let keys: [Value]
    let values: [Value]
    let extent: Extent
    /// Places by key, once there are too many keys to look through.
    private let places: [DictKey: Int]

    private static let linearLimit = 8

    /// A dictionary of members in order; of equal keys the first place and the last value count.
    init(_ members: [(key: Value, value: Value)]) throws(TemplateError) {
        var keys: [Value] = []
        var values: [Value] = []
        var places: [DictKey: Int] = [:]
        keys.reserveCapacity(members.count)
        values.reserveCapacity(members.count)
        for (key, value) in members {
            let hashed = try DictKey(key)
            if let place = places[hashed] {
                values[place] = value
            } else {
                places[hashed] = keys.count
                keys.append(key)
                values.append(value)
            }
        }
        extent = try Extent(around: values) + Extent(around: keys)
        self.keys = keys
        self.values = values
        self.places = keys.count > Self.linearLimit ? places : [:]
    }

    /// A dictionary of members whose keys are different texts.
    init(texts: [String], values: [Value]) throws(TemplateError) {
        var places: [DictKey: Int] = [:]
        if texts.count > Self.linearLimit {
            places.reserveCapacity(texts.count)
            for (place, text) in texts.enumerated() { places[.text(PythonText.Key(text))] = place }
        }
        keys = texts.map { .string($0) }
        self.values = values
        extent = try Extent(around: values) + Extent(around: keys)
        self.places = places
    }

    var count: Int { keys.count }

    /// The value of a text key.
    subscript(text: String) -> Value? {
        if count > Self.linearLimit { return places[.text(PythonText.Key(text))].map { values[$0] } }
        for (place, key) in keys.enumerated() {
            if let candidate = key.text, PythonText.equal(candidate, text) { return values[place] }
        }
        return nil
    }

    /// The value of a key; an error where the key is of a kind that no dictionary has.
    func value(of key: Value) throws(TemplateError) -> Value? {
        if let text = key.text { return self[text] }
        let hashed = try DictKey(key)
        if count > Self.linearLimit { return places[hashed].map { values[$0] } }
        for (place, candidate) in keys.enumerated() where try DictKey(candidate) == hashed { return values[place] }
        return nil
    }

    /// Members as pairs.
    var items: [Value] {
        get throws(TemplateError) {
            var pairs: [Value] = []
            pairs.reserveCapacity(count)
            for (key, value) in zip(keys, values) { pairs.append(.tuple(try List([key, value]))) }
            return pairs
        }
    }
}

/// What a dictionary finds a key by. Numbers that are equal are one key, whatever their types, as in Python.
enum DictKey: Hashable {
    case none
    case int(Int)
    case wide(UInt64)
    case float(Double)
    case text(PythonText.Key)
    case tuple([DictKey])
    case object(ObjectIdentifier)
    case number(Int)

    private static let heaviestTuple = 10_000

    init(_ value: Value) throws(TemplateError) {
        switch value {
        case .none, .undefined: self = .none
        case .bool(let flag): self = .int(flag ? 1 : 0)
        case .int(let number): self = .int(number)
        case .wide(let number): self = .wide(number)
        case .float(let number):
            if let whole = Int(exactly: number) { self = .int(whole) } else { self = .float(number) }
        case .string(let text), .markup(let text): self = .text(PythonText.Key(text))
        case .tuple(let list):
            guard list.extent.weight <= Self.heaviestTuple else { throw .limit("a key of too many parts") }
            var parts: [DictKey] = []
            for element in list.elements { parts.append(try DictKey(element)) }
            self = .tuple(parts)
        case .namespace(let number): self = .number(number)
        case .macro(let macro): self = .object(ObjectIdentifier(macro))
        case .loop(let loop): self = .object(ObjectIdentifier(loop))
        case .method(let method): self = .object(ObjectIdentifier(method))
        case .iterable(let iterable) where iterable.kind == .generator || iterable.kind == .range:
            self = .object(ObjectIdentifier(iterable))
        case .function(let function): self = .text(PythonText.Key(function.rawValue))
        case .list, .dict, .iterable: throw .runtime("unhashable type: '\(value.typeName)'")
        }
    }
}
