/// One flag as it was given, with the words that belong to it.
struct FlagUse: Sendable {
    /// The flag, after aliases and abbreviations are resolved.
    let flag: Flag
    /// The words that follow it, unconverted.
    var values: [String] = []
    /// True for the `--no-…` form.
    var isNegated = false
}

/// Splits a command line into flags and their words as Python's argparse does.
///
/// Long names may be cut to a prefix that fits one flag only; values follow after a space or `=`; a word that starts
/// with a dash is a value only if it is a negative number or holds a space.
struct ArgumentScanner {
    /// The flags in order of appearance.
    private(set) var uses: [FlagUse] = []
    /// The command line with secrets blanked.
    private(set) var shownWords: [String] = []
    /// True once `-h` or `--help` was seen; nothing after it matters.
    private(set) var wantsHelp = false
    private var unrecognized: [String] = []
    private var words: ArraySlice<String>

    /// Reads a whole command line, without the program's and the command's names.
    init(_ arguments: [String]) throws(UsageError) {
        words = arguments[...]
        while let word = words.popFirst() {
            if word == "--" {
                unrecognized += words
                break
            }
            try read(word)
            if wantsHelp { return }
        }
        guard unrecognized.isEmpty else {
            throw .unrecognized(unrecognized, hints: unrecognized.compactMap(Self.hint))
        }
    }

    private mutating func read(_ word: String) throws(UsageError) {
        guard let option = try Option(word) else {
            unrecognized.append(word)
            return
        }
        guard let flag = option.flag else {
            wantsHelp = true
            return
        }
        var use = FlagUse(flag: flag, isNegated: option.isNegated)
        switch option.isNegated ? .toggle : flag.kind {
        case .toggle:
            if let value = option.value { throw .unexpectedValue(flag: flag.spellings, value: value) }
        case .list(let least):
            use.values = option.value.map { [$0] } ?? popValues(atMost: Int.max)
            if use.values.count < least { throw .missingValues(flag: flag.spellings) }
        case .optionalText:
            use.values = option.value.map { [$0] } ?? popValues(atMost: 1)
        default:
            use.values = option.value.map { [$0] } ?? popValues(atMost: 1)
            if use.values.isEmpty { throw .missingValue(flag: flag.spellings) }
        }
        uses.append(use)
        let shown = flag.isSecret ? use.values.map { _ in "***" } : use.values
        shownWords += option.value == nil ? [word] + shown : [option.spelling + "=" + shown.joined()]
    }

    private mutating func popValues(atMost limit: Int) -> [String] {
        var values: [String] = []
        while values.count < limit, let next = words.first, Self.isValue(next) {
            values.append(next)
            words.removeFirst()
        }
        return values
    }

    /// Whether a word can follow a flag as its value.
    private static func isValue(_ word: String) -> Bool {
        guard word.hasPrefix("-"), word != "-" else { return true }
        if word == "--" { return false }
        if let next = word.dropFirst().first, next.isNumber || next == ".", Double(word) != nil { return true }
        return word.contains(" ") && !word.hasPrefix("--")
    }

    /// The flag that an unknown word may have meant.
    private static func hint(for word: String) -> String? {
        guard word.hasPrefix("--") else { return nil }
        let name = String(word.dropFirst(2).prefix { $0 != "=" && $0 != " " })
        guard let nearest = Spelling.nearest(to: name, among: FlagCatalog.byName.keys) else { return nil }
        return "did you mean --\(nearest) instead of --\(name)?"
    }
}

/// A word that names a flag.
private struct Option {
    /// The flag; nil for help.
    let flag: Flag?
    /// The flag as written, without the value.
    let spelling: String
    /// The value after `=`.
    let value: String?
    /// True for the `--no-…` form.
    let isNegated: Bool

    /// Nil where the word names no flag; throws where it could name several.
    init?(_ word: String) throws(UsageError) {
        if word == "-h" {
            (flag, spelling, value, isNegated) = (nil, word, nil, false)
            return
        }
        guard word.hasPrefix("--"), word.count > 2 else { return nil }
        let body = word.dropFirst(2)
        let name = String(body.prefix { $0 != "=" })
        guard let match = try FlagName(name) else { return nil }
        spelling = "--" + name
        value = name.count == body.count ? nil : String(body.dropFirst(name.count + 1))
        (flag, isNegated) = (match.flag, match.isNegated)
    }
}

/// A name, possibly abbreviated, resolved to its flag.
struct FlagName {
    /// The flag; nil for help.
    let flag: Flag?
    /// True for the `--no-…` form.
    let isNegated: Bool

    /// Flags with a `--no-…` form.
    private static let negatable = [
        "lora-strict-loading", "experts-shared-outer-loras", "enable-tf32-matmul", "mm-enable-dp-encoder", "dllm-fdfo",
    ]

    /// Exact names first, then prefixes among SGLang's flags, then among srt's own, which thereby can never make
    /// one of SGLang's abbreviations ambiguous. Nil where nothing fits.
    init?(_ name: String) throws(UsageError) {
        if let flag = FlagCatalog.byName[name] {
            self.init(flag: flag, isNegated: false)
            return
        }
        if name == "help" {
            self.init(flag: nil, isNegated: false)
            return
        }
        if name.hasPrefix("no-"), Self.negatable.contains(String(name.dropFirst(3))) {
            self.init(flag: FlagCatalog.byName[String(name.dropFirst(3))], isNegated: true)
            return
        }
        for isOwn in [false, true] {
            let candidates = FlagCatalog.flags.filter { flag in
                flag.isAbbreviable && (flag.section == .processes) == isOwn
                    && ([flag.name] + flag.aliases).contains { $0.hasPrefix(name) }
            }
            if candidates.count == 1 {
                self.init(flag: candidates[0], isNegated: false)
                return
            }
            if candidates.count > 1 {
                throw .ambiguous("--" + name, candidates: candidates.map { "--" + $0.name })
            }
        }
        return nil
    }

    private init(flag: Flag?, isNegated: Bool) {
        self.flag = flag
        self.isNegated = isNegated
    }
}
