import JSON

/// The keys of one JSON object of a model folder, read with types and ranges checked; errors name file and key.
///
/// A key that is `null` counts as absent. Of a key that comes twice the last one counts, as in Python.
struct ConfigFields: Sendable, Equatable {
    /// The file, for errors.
    let file: String
    /// What stands before a key in errors, such as `rope_scaling.`.
    private let prefix: String
    private let values: [String: JSONValue]
    private let shownNames: [String: String]

    /// Wraps the members of an object; `shownNames` maps keys to the names under which the user knows them.
    init(
        file: String, prefix: String = "", members: [(key: String, value: JSONValue)],
        shownNames: [String: String] = [:]
    ) {
        self.file = file
        self.prefix = prefix
        self.shownNames = shownNames
        var values: [String: JSONValue] = [:]
        for (key, value) in members where !value.isNull { values[key] = value }
        self.values = values
    }

    /// Wraps a value at `path`; nil when it is no object.
    init?(file: String, path: String, value: JSONValue) {
        guard let members = objectMembers(value) else { return nil }
        self.init(file: file, prefix: path + ".", members: members)
    }

    /// The keys that are present.
    var keys: Dictionary<String, JSONValue>.Keys { values.keys }

    /// Whether the key is present and not null.
    func has(_ key: String) -> Bool { values[key] != nil }

    /// Whether another object has the same value at the key.
    func agrees(with other: ConfigFields, _ key: String) -> Bool { values[key] == other.values[key] }

    /// An integer within `range`; a number without fraction counts, and with `takesText` a text of digits.
    func integer(
        _ key: String, in range: ClosedRange<Int>, takesText: Bool = false
    ) throws(CheckpointError) -> Int? {
        guard let value = values[key] else { return nil }
        let written = takesText ? value.stringValue.flatMap { Int($0) } : nil
        guard let number = integerValue(value) ?? written else { throw error(key, "is not an integer") }
        guard range.contains(number) else {
            throw error(key, "\(number) is outside \(range.lowerBound)…\(range.upperBound)")
        }
        return number
    }

    /// The integer of the first of these keys that is present.
    func firstInteger(_ keys: [String], in range: ClosedRange<Int>) throws(CheckpointError) -> Int? {
        for key in keys where has(key) { return try integer(key, in: range) }
        return nil
    }

    /// An integer within `range` that must be there.
    func requiredInteger(_ key: String, in range: ClosedRange<Int>) throws(CheckpointError) -> Int {
        guard let number = try integer(key, in: range) else { throw error(key, "is absent") }
        return number
    }

    /// A finite number within `range`.
    func number(_ key: String, in range: ClosedRange<Double>) throws(CheckpointError) -> Double? {
        guard let value = values[key] else { return nil }
        guard let number = value.doubleValue, number.isFinite else { throw error(key, "is not a finite number") }
        guard range.contains(number) else {
            throw error(key, "\(number) is outside \(range.lowerBound)…\(range.upperBound)")
        }
        return number
    }

    /// Whether the key holds a number above the limit, infinity included.
    func exceeds(_ limit: Double, _ key: String) -> Bool { (values[key]?.doubleValue ?? 0) > limit }

    /// True or false, from the first of these keys that is present.
    func boolean(_ keys: String...) throws(CheckpointError) -> Bool? {
        guard let key = keys.first(where: has), let value = values[key] else { return nil }
        guard let flag = value.boolValue else { throw error(key, "is not true or false") }
        return flag
    }

    /// A text, from the first of these keys that is present.
    func string(_ keys: String...) throws(CheckpointError) -> String? {
        guard let key = keys.first(where: has), let value = values[key] else { return nil }
        guard let text = value.stringValue else { throw error(key, "is not a string") }
        return text
    }

    /// A list of texts.
    func strings(_ key: String) throws(CheckpointError) -> [String]? {
        guard let value = values[key] else { return nil }
        guard let texts = value.arrayValue?.map(\.stringValue), !texts.contains(nil) else {
            throw error(key, "is not a list of strings")
        }
        return texts.compactMap { $0 }
    }

    /// A list of integers, each within `range`.
    func integers(_ key: String, in range: ClosedRange<Int>) throws(CheckpointError) -> [Int]? {
        guard let value = values[key] else { return nil }
        let numbers = value.arrayValue?.map(integerValue)
        guard let numbers, numbers.allSatisfy({ $0.map(range.contains) ?? false }) else {
            throw error(key, "is not a list of integers within \(range.lowerBound)…\(range.upperBound)")
        }
        return numbers.compactMap { $0 }
    }

    /// A list of finite numbers, each within `range`.
    func numbers(_ key: String, in range: ClosedRange<Double>) throws(CheckpointError) -> [Double]? {
        guard let value = values[key] else { return nil }
        let numbers = value.arrayValue?.map(\.doubleValue)
        guard let numbers, numbers.allSatisfy({ $0.map(range.contains) ?? false }) else {
            throw error(key, "is not a list of numbers within \(range.lowerBound)…\(range.upperBound)")
        }
        return numbers.compactMap { $0 }
    }

    /// Whether the value is a list.
    func isList(_ key: String) -> Bool {
        values[key]?.arrayValue != nil
    }

    /// A nested object, from the first of these keys that is present.
    func object(_ keys: String...) throws(CheckpointError) -> ConfigFields? {
        guard let key = keys.first(where: has), let value = values[key] else { return nil }
        guard let fields = ConfigFields(file: file, path: prefix + key, value: value) else {
            throw error(key, "is not an object")
        }
        return fields
    }

    /// Refuses a key whose value asks for something that is not computed; what is neutral may stand there.
    func refuse(_ key: String, unless neutral: Double? = nil) throws(CheckpointError) {
        guard let value = values[key], value.doubleValue == nil || value.doubleValue != neutral else { return }
        throw error(key, "is not supported for this architecture")
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
    func error(_ key: String, _ reason: String) -> CheckpointError {
        .badConfig(file: file, key: shownNames[key] ?? prefix + key, reason: reason)
    }
}
