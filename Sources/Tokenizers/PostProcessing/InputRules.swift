internal import JSON

/// What the files of an embedding model, cross-encoder or classifier say of its inputs: how long they may be and what is done to
/// them before they become ids.
///
/// The longest input is what `sentence_bert_config.json` says (`max_seq_length`), or else the `truncation` of tokenizer.json. What of it
/// counts is the caller's choice.
package struct InputRules: Sendable, Equatable {
    /// The most ids of one input, special tokens included; nil where no file has a limit.
    package var longestInput: Int?
    /// The most ids of one input that the model was trained for, by `sentence_bert_config.json` alone.
    package var trainedLength: Int?
    /// Which of two texts is cut.
    package var strategy = Truncation.Strategy.longestFirst
    /// The end of a text is kept instead of its start (`truncation_side`).
    package var keepsEnd = false
    /// Texts become lower case first (`do_lower_case` of `sentence_bert_config.json`).
    package var lowercases = false
    /// What stands before every text (`default_prompt_name` of `config_sentence_transformers.json`); nothing as a rule.
    package var prompt = ""

    package init() {}

    /// A text as it is tokenized.
    package func prepared(_ text: String) -> String { lowercases ? Self.lowercased(text) : text }

    /// In lower case as Python has it: as Unicode says, with the form of sigma that ends a word.
    private static func lowercased(_ text: String) -> String {
        var result = ""
        let scalars = Array(text.unicodeScalars)
        for (index, scalar) in scalars.enumerated() {
            if scalar == "\u{3A3}", endsWord(scalars, at: index) {
                result += "\u{3C2}"
            } else {
                result += scalar.properties.lowercaseMapping
            }
        }
        return result
    }

    private static func endsWord(_ scalars: [Unicode.Scalar], at index: Int) -> Bool {
        let before = scalars[..<index].last { !$0.properties.isCaseIgnorable }
        let after = scalars[(index + 1)...].first { !$0.properties.isCaseIgnorable }
        return before?.properties.isCased ?? false && !(after?.properties.isCased ?? false)
    }
}

// Where the rules stand.
extension InputRules {
    /// Names of the file that sentence-transformers keeps its own limit in: those of its first versions have the kind of model.
    private static let files = [
        "bert", "roberta", "distilbert", "camembert", "albert", "xlm-roberta", "xlnet",
    ].map { "sentence_\($0)_config.json" }

    /// Takes the `truncation` of tokenizer.json.
    mutating func read(truncation: TokenizerCursor) throws(TokenizerError) {
        longestInput = try truncation.required("max_length").count()
        if let stated = try truncation.member("strategy") {
            switch try stated.string() {
            case "LongestFirst": strategy = .longestFirst
            case "OnlyFirst": strategy = .onlyFirst
            case "OnlySecond": strategy = .onlySecond
            case let name: throw stated.failure("unknown strategy \"\(name)\"")
            }
        }
        if let stated = try truncation.member("direction") {
            switch try stated.string() {
            case "Right": keepsEnd = false
            case "Left": keepsEnd = true
            case let name: throw stated.failure("unknown direction \"\(name)\"")
            }
        }
    }

    /// Takes what a folder's own files say.
    mutating func read(folder: String) throws(TokenizerError) {
        try readPrompt("\(folder)/config_sentence_transformers.json")
        for name in Self.files {
            let file = "\(folder)/\(name)"
            guard let bytes = try FileBytes.read(file) else { continue }
            let root = try TokenizerCursor(parsing: bytes, file: file)
            trainedLength = try root.member("max_seq_length")?.count()
            longestInput = trainedLength ?? longestInput
            lowercases = try root.boolean("do_lower_case", default: false)
            return
        }
    }

    /// Takes the prompt that texts get where nobody names one.
    private mutating func readPrompt(_ file: String) throws(TokenizerError) {
        guard let bytes = try FileBytes.read(file) else { return }
        let root = try TokenizerCursor(parsing: bytes, file: file)
        guard let name = try root.member("default_prompt_name") else { return }
        guard let stated = try root.member("prompts")?.member(name.string()) else {
            throw name.failure("there is no prompt of that name")
        }
        prompt = try stated.string()
    }
}
