internal import JSON
internal import Yams

/// What an unquoted word of YAML 1.1 means.
enum PlainScalar {
    /// It is nothing.
    static func isNull(_ word: String) -> Bool { ["", "~", "null", "Null", "NULL"].contains(word) }

    /// The truth of `true`, `yes`, `on` and their opposites, in small letters, capitals or with a capital.
    static func bool(_ word: String) -> Bool? {
        let small = word.lowercased()
        guard word == small || word == small.uppercased() || word == small.prefix(1).uppercased() + small.dropFirst()
        else { return nil }
        switch small {
        case "true", "yes", "on": return true
        case "false", "no", "off": return false
        default: return nil
        }
    }

    /// The value of a whole number that is written with another base than ten: `0x1F`, `0b11`, `017`.
    static func foreignInteger(_ word: String) -> Int? {
        var digits = word[...]
        let isNegative = digits.first == "-"
        if isNegative || digits.first == "+" { digits = digits.dropFirst() }
        let radix: Int
        switch digits.prefix(2) {
        case "0x": radix = 16
        case "0b": radix = 2
        default: radix = 8
        }
        guard digits.first == "0", digits.count > 1 else { return nil }
        digits = digits.dropFirst(radix == 8 ? 1 : 2)
        let text = digits.filter { $0 != "_" }
        guard text.first != "+", text.first != "-" else { return nil }
        return Int((isNegative ? "-" : "") + text, radix: radix)
    }

    /// The word as JSON: null, a truth value or a number where it is one, else a string.
    static func json(_ word: String) -> String {
        if isNull(word) { return "null" }
        if let flag = bool(word) { return flag ? "true" : "false" }
        if let number = foreignInteger(word) { return String(number) }
        // What JSON takes for a number stays as it is written.
        if let value = try? JSON.parse(word), value.doubleValue != nil { return word }
        return JSON.encodeToString(.string(word))
    }
}

/// A tree of YAML as the text of JSON, spaced as Python spaces it.
struct JSONText {
    /// The text.
    private(set) var text = ""

    /// Writes a tree.
    init(_ node: Node) { write(node) }

    private mutating func write(_ node: Node) {
        switch node {
        case .scalar(let scalar):
            text +=
                scalar.style == .plain ? PlainScalar.json(scalar.string) : JSON.encodeToString(.string(scalar.string))
        case .sequence(let items):
            text += "["
            for (index, item) in items.enumerated() {
                if index > 0 { text += ", " }
                write(item)
            }
            text += "]"
        case .mapping(let members):
            text += "{"
            for (index, (key, value)) in members.filter({ !$0.key.isOverridden }).enumerated() {
                if index > 0 { text += ", " }
                text += JSON.encodeToString(.string(key.scalar?.string ?? JSONText(key).text)) + ": "
                write(value)
            }
            text += "}"
        case .alias: text += "null"
        }
    }
}
