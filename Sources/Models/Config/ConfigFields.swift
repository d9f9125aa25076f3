import JSON

/// How files of a model folder are read: strictly, but that an integer may be written as `4096.0`; errors name file and key.
struct ConfigReading: JSONReading, Equatable {
    let file: String
    /// The names under which the user knows keys.
    var shownNames: [String: String] = [:]

    func failure(at path: String, _ complaint: JSONComplaint) -> CheckpointError {
        .badConfig(file: file, key: shownNames[path] ?? path, reason: Self.reason(complaint))
    }

    func integer(_ value: JSONValue) -> Int? {
        if case .double(let number) = value { return Int(exactly: number) }
        return value.intValue
    }

    /// A finite number.
    func number(_ value: JSONValue) -> Double? {
        guard let number = value.doubleValue, number.isFinite else { return nil }
        return number
    }

    private static func reason(_ complaint: JSONComplaint) -> String {
        switch complaint {
        case .missing: "is absent"
        case .wrongKind(let kind, _): "is not \(words(kind))"
        case .outOfRange(let value, let least, let most): "\(value) is outside \(least)…\(most)"
        case .other(let words): words
        }
    }

    private static func words(_ kind: JSONComplaint.Kind) -> String {
        switch kind {
        case .string: "a string"
        case .integer: "an integer"
        case .number: "a finite number"
        case .boolean: "true or false"
        case .array: "a list"
        case .object: "an object"
        case .other(let words): words
        }
    }
}

/// The keys of one JSON object of a model folder, read with types and ranges checked; errors name file and key.
///
/// A key that is `null` counts as absent. Of a key that comes twice the last one counts, as in Python.
struct ConfigFields: Sendable {
    private let cursor: JSONCursor<ConfigReading>
    private let members: JSONObject
    /// The keys that are present and null.
    private let nulls: Set<String>

    /// Wraps the members of an object; `shownNames` maps keys to the names under which the user knows them.
    init(file: String, members: [(key: String, value: JSONValue)], shownNames: [String: String] = [:]) {
        nulls = Set(members.filter(\.value.isNull).map(\.key))
        self.members = JSONObject(members.filter { !$0.value.isNull }.map { ($0.key, $0.value) })
        cursor = JSONCursor(.object(self.members), ConfigReading(file: file, shownNames: shownNames))
    }

    /// Wraps a value at `path`; nil when it is no object.
    init?(file: String, path: String, value: JSONValue) {
        guard let fields = try? ConfigFields(JSONCursor(value, ConfigReading(file: file), path: path)) else {
            return nil
        }
        self = fields
    }

    private init(_ cursor: JSONCursor<ConfigReading>) throws(CheckpointError) {
        let all = try cursor.object()
        members = JSONObject(all.filter { !$0.1.isNull })
        nulls = Set(all.filter(\.1.isNull).map(\.0))
        self.cursor = cursor
    }

    /// The file, for errors.
    var file: String { cursor.reading.file }

    /// The keys that are present.
    var keys: [String] { members.keys }

    /// Whether the key is present and not null.
    func has(_ key: String) -> Bool { members[key] != nil }

    private subscript(key: String) -> JSONCursor<ConfigReading>? { members[key].map { cursor.child(key, $0) } }

    /// The first of these keys that is present.
    private func first(_ keys: [String]) -> JSONCursor<ConfigReading>? {
        for key in keys { if let found = self[key] { return found } }
        return nil
    }

    /// The same object with further keys that have the values of others, where they are absent; errors name those that are
    /// there.
    func adding(_ aliases: [String: String]) -> ConfigFields {
        let added = aliases.filter { !has($0.key) && has($0.value) }
        if added.isEmpty { return self }
        let shown = cursor.reading.shownNames.merging(added) { $1 }
        let extra = added.map { (key: $0.key, value: members[$0.value] ?? .null) }
        return ConfigFields(file: file, members: members.map { (key: $0.0, value: $0.1) } + extra, shownNames: shown)
    }

    /// The same object with values for keys that it does not have; null is a value.
    func adding(_ values: [String: JSONValue]) -> ConfigFields {
        let added = values.filter { !has($0.key) && !nulls.contains($0.key) }
        if added.isEmpty { return self }
        return ConfigFields(
            file: file,
            members: members.map { (key: $0.0, value: $0.1) } + added.map { (key: $0.key, value: $0.value) },
            shownNames: cursor.reading.shownNames)
    }

    /// The same object with other members in the place of its own.
    func replacing(_ replacements: [(key: String, value: JSONValue)]) -> ConfigFields {
        if replacements.isEmpty { return self }
        let own = members.map { (key: $0.0, value: $0.1) } + nulls.map { (key: $0, value: JSONValue.null) }
        return ConfigFields(file: file, members: own + replacements, shownNames: cursor.reading.shownNames)
    }

    /// The same object with the members of one inside it before its own, which count where that has none; its name and kind
    /// stay.
    func flattened(_ key: String) throws(CheckpointError) -> ConfigFields {
        guard let section = try object(key) else { throw error(key, "is absent") }
        let inner = section.members.filter { !["architectures", "model_type"].contains($0.0) }
            .map { (key: $0.0, value: $0.1) }
        let names = Set(inner.map(\.key))
        let outer = members.filter { !names.contains($0.0) && $0.0 != key }.map { (key: $0.0, value: $0.1) }
        let shown = Dictionary(inner.map { ($0.key, key + "." + $0.key) }) { $1 }
        let nulls = section.nulls.map { (key: $0, value: JSONValue.null) }
        return ConfigFields(file: file, members: outer + inner + nulls, shownNames: shown)
    }

    /// The same object with one more member.
    func adding(_ key: String, _ text: String) -> ConfigFields {
        ConfigFields(
            file: file, members: members.map { (key: $0.0, value: $0.1) } + [(key: key, value: .string(text))],
            shownNames: cursor.reading.shownNames)
    }

    /// Whether another object has the same value at the key.
    func agrees(with other: ConfigFields, _ key: String) -> Bool { members[key] == other.members[key] }

    /// An integer within `range`; a number without fraction counts, and with `takesText` a text of digits.
    func integer(
        _ key: String, in range: ClosedRange<Int>, takesText: Bool = false
    ) throws(CheckpointError) -> Int? {
        guard let value = self[key] else { return nil }
        if takesText, let written = value.value.stringValue.flatMap({ Int($0) }) {
            return try cursor.child(key, .int(Int64(written))).integer(in: range)
        }
        return try value.integer(in: range)
    }

    /// The integer of the first of these keys that is present.
    func firstInteger(_ keys: [String], in range: ClosedRange<Int>) throws(CheckpointError) -> Int? {
        try first(keys)?.integer(in: range)
    }

    /// An integer within `range` that must be there.
    func requiredInteger(_ key: String, in range: ClosedRange<Int>) throws(CheckpointError) -> Int {
        guard let number = try integer(key, in: range) else { throw cursor.child(key, .null).failure(.missing) }
        return number
    }

    /// A finite number within `range`.
    func number(_ key: String, in range: ClosedRange<Double>) throws(CheckpointError) -> Double? {
        try self[key]?.number(in: range)
    }

    /// Whether the key holds a number above the limit, infinity included.
    func exceeds(_ limit: Double, _ key: String) -> Bool { (members[key]?.doubleValue ?? 0) > limit }

    /// True or false, from the first of these keys that is present.
    func boolean(_ keys: String...) throws(CheckpointError) -> Bool? { try first(keys)?.boolean() }

    /// A text, from the first of these keys that is present.
    func string(_ keys: String...) throws(CheckpointError) -> String? { try first(keys)?.string() }

    /// A list of texts.
    func strings(_ key: String) throws(CheckpointError) -> [String]? {
        try list(key, "a list of strings", \.stringValue)
    }

    /// A list of truth values.
    func booleans(_ key: String) throws(CheckpointError) -> [Bool]? {
        try list(key, "a list of true and false", \.boolValue)
    }

    /// A list of integers, each within `range`.
    func integers(_ key: String, in range: ClosedRange<Int>) throws(CheckpointError) -> [Int]? {
        try list(key, "a list of integers within \(range.lowerBound)…\(range.upperBound)") { value in
            cursor.reading.integer(value).flatMap { range.contains($0) ? $0 : nil }
        }
    }

    /// A list of finite numbers, each within `range`.
    func numbers(_ key: String, in range: ClosedRange<Double>) throws(CheckpointError) -> [Double]? {
        try list(key, "a list of numbers within \(range.lowerBound)…\(range.upperBound)") { value in
            value.doubleValue.flatMap { range.contains($0) ? $0 : nil }
        }
    }

    /// A list of which each element must be readable; a complaint is about the list.
    private func list<Element>(
        _ key: String, _ words: String, _ read: (JSONValue) -> Element?
    ) throws(CheckpointError) -> [Element]? {
        guard let value = self[key] else { return nil }
        let elements = value.value.arrayValue?.compactMap(read)
        guard let elements, elements.count == value.value.arrayValue?.count else {
            throw value.wrongKind(.other(words))
        }
        return elements
    }

    /// Whether the value is a list.
    func isList(_ key: String) -> Bool { members[key]?.arrayValue != nil }

    /// A nested object, from the first of these keys that is present.
    func object(_ keys: String...) throws(CheckpointError) -> ConfigFields? {
        guard let value = first(keys) else { return nil }
        return try ConfigFields(value)
    }

    /// Refuses a key whose value asks for something that is not computed; what is neutral may stand there.
    func refuse(_ key: String, unless neutral: Double? = nil) throws(CheckpointError) {
        guard let value = members[key], value.doubleValue == nil || value.doubleValue != neutral else { return }
        let allowed = neutral.map { $0 == $0.rounded() ? "\(Int($0)), or none" : "\($0), or none" } ?? "none"
        throw error(key, "is not supported for this architecture; supported: \(allowed)")
    }

    /// Refuses keys that are true.
    func refuseTrue(_ keys: String...) throws(CheckpointError) {
        for key in keys where try boolean(key) ?? false {
            throw error(key, "true is not supported for this architecture; supported: false")
        }
    }

    /// The text at `key`, if it is one of `choices`; the first when the key is absent.
    func choice(_ key: String, of choices: [String]) throws(CheckpointError) -> String {
        guard let text = try string(key) else { return choices[0] }
        guard choices.contains(text) else {
            throw error(
                key,
                "`\(printable(text))` is not supported for this architecture; supported: "
                    + choices.joined(separator: ", "))
        }
        return text
    }

    /// An error at a key of this object.
    func error(_ key: String, _ reason: String) -> CheckpointError { cursor.child(key, .null).failure(reason) }
}

extension ConfigFields: Equatable {
    /// Same file, same keys, same values.
    static func == (left: Self, right: Self) -> Bool {
        left.cursor.reading == right.cursor.reading && left.cursor.path == right.cursor.path
            && left.members == right.members
    }
}
