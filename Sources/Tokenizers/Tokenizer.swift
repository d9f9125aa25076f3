internal import Synchronization

/// Text to token ids and back, as Hugging Face's tokenizers do it. Safe to use from many threads.
package final class Tokenizer: Sendable {
    private let parts: TokenizerParts
    /// Tokens found in the text as it arrives, and those found after normalization.
    private let rawMatcher: AddedTokenMatcher
    private let normalizedMatcher: AddedTokenMatcher
    private let added: Vocabulary
    /// Added tokens as they are decoded: those that are looked for in normalized text come back normalized.
    private let decodedAdded: Vocabulary
    private let specialIDs: Set<Int32>
    /// Ids left out when decoding without special tokens.
    private let skippedIDs: Set<Int32>
    /// Bytes of each id where tokens spell bytes; empty otherwise.
    private let byteSpellings: ByteSpellings?
    private let cache = Mutex<WordCache?>(WordCache())
    /// What the small parts were made of.
    private let outline: TokenizerOutline
    /// The configuration it was made with: names of special tokens, chat templates.
    package let config: TokenizerConfig

    /// Reads tokenizer.json, or what a folder without one has instead (see `FolderVocabulary`), and, if there,
    /// tokenizer_config.json, special_tokens_map.json and chat_template.jinja.
    package convenience init(folder: String) throws(TokenizerError) {
        let file = "\(folder)/tokenizer.json"
        let config = try TokenizerConfig(folder: folder)
        if let bytes = try FileBytes.read(file) {
            try self.init(json: bytes, file: file, config: config)
            return
        }
        guard let made = try FolderVocabulary.tokenizerFile(folder, config) else {
            throw .unreadable(file: file, reason: "no such file")
        }
        self.init(parts: try made.parts(), config: made.completed(config), outline: made.outline)
    }

    /// Reads a single tokenizer.json.
    package convenience init(file: String, config: TokenizerConfig = TokenizerConfig()) throws(TokenizerError) {
        guard let bytes = try FileBytes.read(file) else { throw .unreadable(file: file, reason: "no such file") }
        try self.init(json: bytes, file: file, config: config)
    }

    /// Reads the bytes of a tokenizer.json; `file` is only named in errors.
    package convenience init(json: [UInt8], file: String, config: TokenizerConfig) throws(TokenizerError) {
        let file = try TokenizerFile(bytes: json, file: file)
        self.init(parts: try file.parts(), config: config, outline: file.outline)
    }

    /// Builds the tokenizer that a GGUF file describes.
    package convenience init(gguf: GGUFTokenizerKeys) throws(TokenizerError) {
        let outline = try gguf.outline()
        let parts = try outline.parts(gguf.tables(outline.kind))
        self.init(parts: parts, config: outline.config, outline: .gguf(outline))
    }

    /// Builds the tokenizer that `packed()` gave the bytes of.
    ///
    /// - Parameter folder: where the configuration of a tokenizer.json is; nil for none.
    /// - Throws: what the configuration's files or the word rules throw; bytes that `packed()` did not make are `.malformed`.
    package convenience init(packed: [UInt8], folder: String?) throws(TokenizerError) {
        let (outline, tables) = try PackedTokenizer.read(packed)
        switch outline {
        case .file(let value, let name):
            let config = try folder.map { path throws(TokenizerError) in try TokenizerConfig(folder: path) }
            let file = TokenizerFile(value, file: name, tables: tables)
            self.init(
                parts: try file.parts(), config: file.completed(config ?? TokenizerConfig()), outline: outline)
        case .gguf(let gguf): self.init(parts: try gguf.parts(tables), config: gguf.config, outline: outline)
        }
    }

    /// Bytes that build the same tokenizer in a fraction of the time: the tables as they are, the rest as its source had it.
    package func packed() -> [UInt8] {
        PackedTokenizer.bytes(outline, parts.model.tables)
    }

    init(parts: TokenizerParts, config: TokenizerConfig, outline: TokenizerOutline) {
        var parts = parts
        parts.addedTokens = Self.completing(parts.addedTokens, parts.model.vocabulary, config)
        var added = Vocabulary(capacity: parts.addedTokens.count)
        for token in parts.addedTokens { added.insert(token.content, id: token.id) }
        if parts.postProcessor == nil {
            parts.postProcessor = Self.postProcessor(config, added, parts.model.vocabulary)
        }
        let region = SearchRegion()
        let normalizer = parts.normalizer
        self.added = added
        rawMatcher = AddedTokenMatcher(parts.addedTokens.filter { !$0.isNormalized }, spelling: \.content)
        func normalized(_ token: AddedToken) -> [UInt8] {
            var content = token.content
            if token.isNormalized { _ = normalizer?.apply(to: &content, region: region) }
            return content
        }
        normalizedMatcher = AddedTokenMatcher(parts.addedTokens.filter(\.isNormalized), spelling: normalized)
        var decoded = Vocabulary(capacity: parts.addedTokens.count)
        for token in parts.addedTokens { decoded.insert(normalized(token), id: token.id) }
        decodedAdded = decoded
        let special = parts.addedTokens.filter(\.isSpecial)
        specialIDs = Set(special.map(\.id))
        // The reference compares the decoded token with the names of the special ones.
        let names = Set(special.map(\.content))
        skippedIDs = Set(parts.addedTokens.filter { names.contains(normalized($0)) }.map(\.id))
        if case .byteLevel? = parts.decoder {
            byteSpellings = ByteSpellings(parts.model.vocabulary, decoded)
        } else {
            byteSpellings = nil
        }
        self.parts = parts
        self.config = config
        self.outline = outline
    }

    /// The file's added tokens, overridden by the configuration's list and completed by its named tokens.
    static func completing(
        _ tokens: [AddedToken], _ vocabulary: Vocabulary, _ config: TokenizerConfig
    ) -> [AddedToken] {
        var tokens = tokens
        let named = Set(config.namedTokens.map { Array($0.utf8) })
        for var token in config.addedTokens {
            if let known = vocabulary.id(of: token.content) { token.id = known }
            if let index = tokens.firstIndex(where: { $0.content == token.content }) {
                token.id = tokens[index].id
                // What has a purpose is special, even if the list says otherwise.
                if token != tokens[index], named.contains(token.content) { token.isSpecial = true }
                tokens[index] = token
            } else {
                tokens.append(token)
            }
        }
        for name in config.namedTokens + config.extraSpecialTokens where !name.isEmpty {
            let content = Array(name.utf8)
            if tokens.contains(where: { $0.content == content }) { continue }
            let next = max(Int32(vocabulary.idCount), (tokens.map(\.id).max() ?? -1) + 1)
            tokens.append(AddedToken(content: content, id: vocabulary.id(of: content) ?? next, isSpecial: true))
        }
        return tokens
    }

    private static func postProcessor(
        _ config: TokenizerConfig, _ added: Vocabulary, _ vocabulary: Vocabulary
    ) -> PostProcessor {
        func id(_ token: String?) -> Int32? {
            token.flatMap { added.id(of: $0.utf8) ?? vocabulary.id(of: $0.utf8) }
        }
        func around(_ text: PostProcessor.Piece, type: Int32) -> [PostProcessor.Piece] {
            var pieces = [text]
            if config.addsBOS == true, let bos = id(config.bosToken) {
                pieces.insert(.special([bos], type: type), at: 0)
            }
            if config.addsEOS == true, let eos = id(config.eosToken) { pieces.append(.special([eos], type: type)) }
            return pieces
        }
        let single = around(.first(type: 0), type: 0)
        let template = PostProcessor.Template(single: single, pair: single + around(.second(type: 1), type: 1))
        return PostProcessor(templates: [template])
    }
}

// Text to ids.
extension Tokenizer {
    /// The ids of a text; special tokens written in the text are recognized either way, `addSpecialTokens` is about
    /// those that the model wants around it (BOS, EOS).
    package func encode(_ text: String, addSpecialTokens: Bool) -> [Int32] {
        let ids = bareIDs(text)
        return parts.postProcessor?.apply(to: ids, nil, addSpecialTokens: addSpecialTokens).ids ?? ids
    }

    /// The ids of one text or two with the token type of each, cut to what the model takes.
    ///
    /// - Throws: `Truncation.TooShort` when the text that alone may be cut has too few ids.
    package func encode(
        _ first: String, _ second: String?, addSpecialTokens: Bool, truncation: Truncation? = nil
    ) throws(Truncation.TooShort) -> TokenizedInput {
        var firstIDs = bareIDs(first)
        var secondIDs = second.map(bareIDs)
        let processor = parts.postProcessor ?? PostProcessor()
        let count = firstIDs.count + (secondIDs?.count ?? 0)
        if let truncation {
            let added = addSpecialTokens ? processor.addedCount(isPair: second != nil) : 0
            try truncation.apply(to: &firstIDs, &secondIDs, added: added)
        }
        let isCut = firstIDs.count + (secondIDs?.count ?? 0) < count
        let (ids, types) = processor.apply(to: firstIDs, secondIDs, addSpecialTokens: addSpecialTokens)
        return TokenizedInput(ids: ids, types: types, isTruncated: isCut)
    }

    /// The ids of a text without anything around them.
    private func bareIDs(_ text: String) -> [Int32] {
        // Two threads at once: the second works without the cache rather than wait.
        cache.withLockIfAvailable { encode(Array(text.utf8), cache: &$0) }
            ?? {
                var none: WordCache? = nil
                return encode(Array(text.utf8), cache: &none)
            }()
    }

    private func encode(_ text: [UInt8], cache: inout WordCache?) -> [Int32] {
        var ids: [Int32] = []
        ids.reserveCapacity(text.count / 3 + 4)
        let region = SearchRegion()
        var work = SubwordWork()
        for segment in text.withUnsafeBufferPointer({ rawMatcher.segments(of: $0) }) {
            if let id = segment.id {
                ids.append(id)
                continue
            }
            var normalized = Array(text[segment.range])
            let keepsStart = parts.normalizer?.apply(to: &normalized, region: region) ?? true
            for part in normalized.withUnsafeBufferPointer({ normalizedMatcher.segments(of: $0) }) {
                if let id = part.id {
                    ids.append(id)
                    continue
                }
                let opens = segment.range.lowerBound == 0 && part.range.lowerBound == 0 && keepsStart
                var words = SplitText(
                    part.range.count == normalized.count ? normalized : Array(normalized[part.range]), opensInput: opens
                )
                parts.preTokenizer?.apply(to: &words, region: region)
                words.bytes.withUnsafeBufferPointer { bytes in
                    for piece in words.pieces {
                        let word = UnsafeBufferPointer(rebasing: bytes[piece])
                        parts.model.encode(word, work: &work, cache: &cache, into: &ids)
                    }
                }
            }
        }
        return ids
    }
}

// Ids to text.
extension Tokenizer {
    /// The text of some ids. Ids that do not exist are passed over; bytes that are not UTF-8 become U+FFFD as Rust's
    /// `from_utf8_lossy` does it. Costs no more than the ids given, so it may be called for short windows.
    package func decode(_ ids: some Sequence<Int32>, skipSpecialTokens: Bool) -> String {
        if let byteSpellings {
            var bytes: [UInt8] = []
            for id in ids where !(skipSpecialTokens && skippedIDs.contains(id)) { byteSpellings.append(id, to: &bytes) }
            return String(decoding: bytes, as: UTF8.self)
        }
        var tokens: [[UInt8]] = []
        for id in ids where !(skipSpecialTokens && skippedIDs.contains(id)) {
            if let token = decodedToken(id) { tokens.append(Array(token)) }
        }
        guard let decoder = parts.decoder else {
            return String(decoding: Array(tokens.joined(separator: [0x20])), as: UTF8.self)
        }
        decoder.apply(to: &tokens, region: SearchRegion())
        return String(decoding: Array(tokens.joined()), as: UTF8.self)
    }

    /// The raw bytes that an id stands for inside a text: possibly a part of a character; empty for an id that does not
    /// exist. Special tokens have the bytes of their names.
    package func tokenBytes(_ id: Int32) -> [UInt8] {
        if let byteSpellings {
            var bytes: [UInt8] = []
            byteSpellings.append(id, to: &bytes)
            return bytes
        }
        guard let token = decodedToken(id) else { return [] }
        if added.token(of: id) != nil { return Array(token) }
        return parts.decoder?.bytes(ofInnerToken: token, region: SearchRegion()) ?? Array(token)
    }

    private func decodedToken(_ id: Int32) -> ArraySlice<UInt8>? {
        decodedAdded.token(of: id) ?? parts.model.vocabulary.token(of: id)
    }

    private func token(of id: Int32) -> ArraySlice<UInt8>? {
        added.token(of: id) ?? parts.model.vocabulary.token(of: id)
    }
}

// What it knows about ids.
extension Tokenizer {
    /// One more than the highest id.
    package var vocabularySize: Int { max(parts.model.vocabulary.idCount, added.idCount) }

    /// The id of a token as the vocabulary spells it (`Ġhello`, `<|im_end|>`).
    package func idOf(_ token: String) -> Int32? {
        added.id(of: token.utf8) ?? parts.model.vocabulary.id(of: token.utf8)
    }

    /// The token of an id as the vocabulary spells it.
    package func tokenOf(_ id: Int32) -> String? {
        token(of: id).map { String(decoding: $0, as: UTF8.self) }
    }

    /// Whether decoding without special tokens leaves it out.
    package func isSpecial(_ id: Int32) -> Bool { specialIDs.contains(id) }

    /// Whether decoding without special tokens leaves out a part of a text.
    package func holdsSpecial(_ text: String) -> Bool {
        encode(text, addSpecialTokens: false).contains(where: specialIDs.contains)
    }

    /// The ids that end an answer: the end-of-sequence token, those that a GGUF file is known to mean, and `<|eom_id|>` of
    /// Llama 3's tool use where it exists.
    package var eosIDs: [Int32] {
        var ids: [Int32] = []
        for id in ([config.eosToken].compactMap { $0 } + config.endTokens).compactMap(idOf) where !ids.contains(id) {
            ids.append(id)
        }
        if let eom = added.id(of: "<|eom_id|>".utf8), !ids.contains(eom) { ids.append(eom) }
        return ids
    }

    /// Guesses that were made because its source does not say enough, one line each.
    package var warnings: [String] {
        if case .gguf(let gguf) = outline { gguf.warnings } else { [] }
    }

    /// How it is used, in one line, where it had to be put together from the metadata of a GGUF file; nil otherwise.
    package var summary: String? {
        if case .gguf(let gguf) = outline { gguf.summary } else { nil }
    }

    /// The longest prompt that the tokenizer's configuration allows, nil for no limit.
    package var modelMaxLength: Int? { config.modelMaxLength }

    /// What its files say of the inputs of models that answer a whole text: how they are cut and prepared.
    package var inputRules: InputRules {
        var rules = parts.inputRules
        rules.longestInput = config.inputRules.longestInput ?? rules.longestInput
        rules.trainedLength = config.inputRules.trainedLength
        (rules.lowercases, rules.prompt) = (config.inputRules.lowercases, config.inputRules.prompt)
        rules.keepsEnd = config.keepsEnd ?? rules.keepsEnd
        return rules
    }
}
