internal import Yams

/// One `name: value` of a configuration file.
struct ConfigurationEntry: Equatable {
    /// What stands after the colon.
    enum Value: Equatable {
        /// Nothing, `null` or `~`: the entry says nothing.
        case null
        /// `true`, `yes`, `on` or their opposites, unquoted, and the word as it is written.
        case bool(Bool, String)
        /// A number that YAML writes otherwise than a command line does, such as `0x7`: its value, and the word.
        case integer(Int, String)
        /// Anything else, unquoted if it was quoted.
        case word(String)
        /// A list in brackets or on lines that begin with a dash.
        case list([String])
        /// A map as the text of a JSON object.
        case object(String)
    }

    /// Name of the flag with dashes or underscores.
    let key: String
    /// The value.
    let value: Value
    /// Line of the key, from 1.
    let line: Int
}

/// Reads a YAML file of flags, as SGLang's reader of YAML 1.1 takes it: of a key that comes twice the last value counts.
struct ConfigurationFile {
    /// The entries in the order of the file.
    private(set) var entries: [ConfigurationEntry] = []

    /// Reads a whole file; `path` is for messages only.
    init(_ text: String, path: String) throws(UsageError) {
        // libyaml takes the mark for a letter of the first key.
        let text = text.unicodeScalars.first == "\u{FEFF}" ? String(text.unicodeScalars.dropFirst()) : text
        do throws(Malformed) {
            guard let root = try Self.compose(text), !root.isNothing else { return }
            guard case .mapping(let members) = root else { throw root.malformed("expected 'name: value'") }
            for (key, value) in members {
                guard let name = key.scalar?.string, !key.isNothing else {
                    throw key.malformed("expected 'name: value'")
                }
                if key.isOverridden { continue }
                entries.append(ConfigurationEntry(key: name, value: try Self.value(value), line: key.line))
            }
        } catch {
            throw .configuration("\(path), line \(error.line): \(error.text)")
        }
    }

    /// What is wrong, and where.
    fileprivate struct Malformed: Error {
        let text: String
        let line: Int
    }

    /// Begins the names of keys that come again further down.
    fileprivate static let overridden: Unicode.Scalar = "\u{E000}"

    /// The tree of a text; nil for an empty one.
    ///
    /// Yams refuses a key that comes twice where others take the last: the first of them gets another name until none is
    /// left. It can be told by the place that the complaint names.
    private static func compose(_ text: String) throws(Malformed) -> Node? {
        var text = text
        while true {
            do {
                return try Parser(yaml: text, resolver: .basic, encoding: .utf8).singleRoot()
            } catch YamlError.duplicatedKeysInMapping(_, let context) {
                guard let renamed = rename(keyAt: context.mark, in: text) else {
                    throw Malformed(text: "a key comes twice", line: context.mark.line)
                }
                text = renamed
            } catch {
                throw Malformed(error)
            }
        }
    }

    /// The text with a mark in the name of the key at a place; nil where there is no such place.
    private static func rename(keyAt mark: Mark, in text: String) -> String? {
        var scalars = text.unicodeScalars
        var place = scalars.startIndex
        for _ in 1..<max(mark.line, 1) {
            guard let end = scalars[place...].firstIndex(of: "\n") else { return nil }
            place = scalars.index(after: end)
        }
        guard mark.column > 0, scalars.index(place, offsetBy: mark.column - 1, limitedBy: scalars.endIndex) != nil
        else { return nil }
        place = scalars.index(place, offsetBy: mark.column - 1)
        guard place < scalars.endIndex else { return nil }
        if scalars[place] == "\"" || scalars[place] == "'" { place = scalars.index(after: place) }
        scalars.insert(overridden, at: place)
        return String(scalars)
    }

    private static func value(_ node: Node) throws(Malformed) -> ConfigurationEntry.Value {
        switch node {
        case .scalar(let scalar): return value(scalar)
        case .sequence(let items):
            var words: [String] = []
            for item in items {
                guard let word = item.scalar?.string else { throw item.malformed("nested lists are not understood") }
                words.append(word)
            }
            return .list(words)
        case .mapping: return .object(JSONText(node).text)
        case .alias: throw node.malformed("an alias is not understood here")
        }
    }

    private static func value(_ scalar: Node.Scalar) -> ConfigurationEntry.Value {
        let word = scalar.string
        guard scalar.style == .plain else { return .word(word) }
        if PlainScalar.isNull(word) { return .null }
        if let flag = PlainScalar.bool(word) { return .bool(flag, word) }
        if let number = PlainScalar.foreignInteger(word) { return .integer(number, word) }
        return .word(word)
    }
}

extension ConfigurationFile.Malformed {
    /// What a reader of YAML complains about, at the place where the trouble begins.
    fileprivate init(_ error: any Error) {
        switch error {
        case YamlError.scanner(let context, let problem, let mark, _),
            YamlError.parser(let context, let problem, let mark, _):
            // That something is not closed is seen much further down, at the end of the file often.
            let isOpen = ["quoted scalar", "simple key", "flow"].contains { context?.text.contains($0) == true }
            let line = isOpen ? context?.mark.line ?? mark.line : mark.line
            self.init(text: Self.sentence(problem, context), line: line)
        case YamlError.composer(let context, let problem, let mark, _):
            self.init(text: Self.sentence(problem, context), line: mark.line)
        case YamlError.reader(let problem, let offset, _, let yaml):
            let line = yaml.prefix(offset ?? 0).count(where: \.isNewline) + 1
            self.init(text: problem, line: line)
        default:
            self.init(text: "\(error)", line: 1)
        }
    }

    private static func sentence(_ problem: String, _ context: YamlError.Context?) -> String {
        context.map { "\(problem) \($0.text)" } ?? problem
    }
}

extension Node {
    /// The key of a member that comes again further down.
    var isOverridden: Bool { scalar?.string.unicodeScalars.first == ConfigurationFile.overridden }

    /// The line on which it begins, from 1.
    fileprivate var line: Int { mark?.line ?? 1 }

    /// An unquoted null.
    fileprivate var isNothing: Bool {
        guard let scalar else { return false }
        return scalar.style == .plain && PlainScalar.isNull(scalar.string)
    }

    fileprivate func malformed(_ text: String) -> ConfigurationFile.Malformed {
        ConfigurationFile.Malformed(text: text, line: line)
    }
}
