/// How text is cut into words before the model sees it: the `pre_tokenizer` of tokenizer.json.
indirect enum PreTokenizer: Sendable {
    case sequence([PreTokenizer])
    /// Spells bytes as characters, after a split by GPT-2's expression if there is one.
    case byteLevel(addsPrefixSpace: Bool, split: Regex?)
    case split(Pattern, SplitText.Behavior, inverted: Bool)
    case digits(individual: Bool)
    case punctuation(SplitText.Behavior)
    /// Runs of word characters and runs of other characters; white space vanishes.
    case whitespace
    /// Cuts at white space, which vanishes.
    case whitespaceSplit
    case bert
    case metaspace(Metaspace)
    /// Cuts at a character, which vanishes.
    case delimiter(Unicode.Scalar)
    /// Pieces of so many characters.
    case fixedLength(Int)

    /// GPT-2's expression for words, which `ByteLevel` uses by itself.
    static let gpt2Pattern = #"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"#

    /// Cuts the pieces of a text into smaller ones.
    func apply(to text: inout SplitText, region: SearchRegion) {
        switch self {
        case .sequence(let steps):
            for step in steps { step.apply(to: &text, region: region) }
        case .byteLevel(let addsPrefixSpace, let expression):
            Self.byteLevel(&text, addsPrefixSpace, expression, region)
        case .split(let pattern, let behavior, let inverted):
            text.split(behavior, inverted: inverted) { pattern.forEachMatch(in: $0, region: region, $1) }
        case .digits(let individual):
            Self.split(&text, individual ? .isolated : .contiguous, CharacterClass.isNumeric)
        case .punctuation(let behavior):
            Self.split(&text, behavior, CharacterClass.isPunctuation)
        case .whitespace:
            text.split(.removed, inverted: true, find: Self.findWords)
        case .whitespaceSplit:
            Self.split(&text, .removed, CharacterClass.isWhitespace)
        case .bert:
            Self.split(&text, .removed, CharacterClass.isWhitespace)
            Self.split(&text, .isolated, CharacterClass.isPunctuation)
        case .metaspace(let metaspace):
            metaspace.apply(to: &text)
        case .delimiter(let delimiter):
            Self.split(&text, .removed) { $0 == delimiter.value }
        case .fixedLength(let length):
            text.split(.isolated) { Self.findRuns(of: length, in: $0, $1) }
        }
    }

    private static func byteLevel(
        _ text: inout SplitText, _ addsPrefixSpace: Bool, _ expression: Regex?, _ region: SearchRegion
    ) {
        if addsPrefixSpace {
            text.rewrite { piece, _, written in
                if piece.first != 0x20 { written.append(0x20) }
                written.append(contentsOf: piece)
            }
        }
        if let expression {
            text.split(.isolated) { expression.forEachMatch(in: $0, region: region, $1) }
        }
        text.rewrite { piece, _, written in ByteAlphabet.append(piece, to: &written) }
    }

    /// Splits at single characters of a class.
    static func split(_ text: inout SplitText, _ behavior: SplitText.Behavior, _ isDelimiter: (UInt32) -> Bool) {
        text.split(behavior) { buffer, found in
            var at = 0
            while at < buffer.count {
                let (code, length) = scalar(in: buffer, at: at)
                if isDelimiter(code) { found(at..<at + length) }
                at += length
            }
        }
    }

    /// Finds `\w+|[^\w\s]+`.
    private static func findWords(in text: UnsafeBufferPointer<UInt8>, _ found: (Range<Int>) -> Void) {
        enum Kind { case space, word, other }
        var kind = Kind.space
        var start = 0
        var at = 0
        while at < text.count {
            let (code, length) = scalar(in: text, at: at)
            let here: Kind =
                CharacterClass.isWord(code) ? .word : CharacterClass.isWhitespace(code) ? .space : .other
            if here != kind {
                if kind != .space { found(start..<at) }
                start = at
                kind = here
            }
            at += length
        }
        if kind != .space { found(start..<at) }
    }

    private static func findRuns(
        of length: Int, in text: UnsafeBufferPointer<UInt8>, _ found: (Range<Int>) -> Void
    ) {
        var start = 0
        var at = 0
        var count = 0
        while at < text.count {
            at += scalar(in: text, at: at).length
            count += 1
            if count == length {
                found(start..<at)
                (start, count) = (at, 0)
            }
        }
        if start < at { found(start..<at) }
    }
}

/// Makes spaces visible and cuts in front of them (SentencePiece's way).
struct Metaspace: Sendable {
    /// When the replacement is put in front of a piece that does not start with it.
    enum PrependScheme: String {
        case first, never, always
    }

    let replacement: Unicode.Scalar
    let prependScheme: PrependScheme
    let splits: Bool

    func apply(to text: inout SplitText) {
        let mark = Array(String(replacement).utf8)
        text.rewrite { piece, opensInput, written in
            let prepends = prependScheme == .always || prependScheme == .first && opensInput
            if prepends, piece.first != 0x20, !piece.starts(with: mark) { written.append(contentsOf: mark) }
            for byte in piece {
                if byte == 0x20 { written.append(contentsOf: mark) } else { written.append(byte) }
            }
        }
        if splits {
            PreTokenizer.split(&text, .mergedWithNext) { $0 == replacement.value }
        }
    }
}
