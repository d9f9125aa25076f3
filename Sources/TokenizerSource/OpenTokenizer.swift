internal import Models
package import ServerSettings
package import Tokenizers

/// Opens the tokenizer that the settings name: a folder or file of the Hugging Face kind, or the vocabulary inside a GGUF file.
/// Reading one takes a good part of a second; the first process of a server leaves it in `memory` for those that come later.
///
/// Here alone a checkpoint's metadata and a tokenizer meet.
/// - Throws: One line that names the file and the place.
/// - Returns: nil when the settings want none.
package func openTokenizer(_ settings: some TokenizerChoice, _ memory: TokenizerMemory) throws -> Tokenizer? {
    if settings.skipTokenizerInit { return nil }
    let place = try ModelPath(settings.tokenizerPath)
    if let bytes = memory.read(),
        let tokenizer = try? Tokenizer(packed: bytes, folder: place.kind == .json ? nil : place.folder)
    {
        return tokenizer
    }
    let tokenizer = try openTokenizer(place)
    memory.write(tokenizer.packed())
    return tokenizer
}

/// Opens the tokenizer of a folder, a tokenizer.json or a GGUF file; see `ModelPath`.
/// - Throws: One line that names the file and the place.
package func openTokenizer(path: String) throws -> Tokenizer { try openTokenizer(ModelPath(path)) }

private func openTokenizer(_ place: ModelPath) throws -> Tokenizer {
    if place.kind == .json { return try Tokenizer(file: place.path) }
    // Files beside a GGUF count before its metadata, as they do for the configuration.
    if try place.hasFile("tokenizer.json") { return try Tokenizer(folder: place.folder) }
    guard let gguf = try place.gguf() else {
        // A vocabulary that was not fetched is told as one.
        for name in Tokenizer.vocabularyFiles { _ = try place.hasFile(name) }
        return try Tokenizer(folder: place.folder)
    }
    guard let found = try readStoredVocabulary(path: gguf) else { throw NoVocabulary(path: gguf) }
    return try Tokenizer(gguf: keys(of: found, file: gguf))
}

private func keys(of found: StoredVocabulary, file: String) -> GGUFTokenizerKeys {
    var keys = GGUFTokenizerKeys(
        tokens: found.tokens, tokenTypes: found.types, merges: found.merges, scores: found.scores,
        model: found.model, pre: found.pre, bos: found.bosTokenID, eos: found.eosTokenID,
        endOfTurn: found.eotTokenID, unknown: found.unknownTokenID,
        padding: found.paddingTokenID, addBOS: found.addsBOS, addEOS: found.addsEOS,
        addSpacePrefix: found.addsSpacePrefix, chatTemplate: found.chatTemplate, file: file)
    keys.classification = found.classTokenID
    keys.separator = found.separatorTokenID
    keys.mask = found.maskTokenID
    keys.removesExtraSpaces = found.removesExtraSpaces
    keys.characterMap = found.characterMap
    return keys
}

/// A GGUF file holds weights but no vocabulary.
private struct NoVocabulary: Error, CustomStringConvertible {
    let path: String

    var description: String {
        "\(path): tokenizer.ggml.tokens is missing; name a tokenizer with --tokenizer-path or use --skip-tokenizer-init"
    }
}
