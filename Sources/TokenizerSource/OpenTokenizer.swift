internal import Glibc
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
    let path = settings.tokenizerPath
    if let bytes = memory.read(),
        let tokenizer = try? Tokenizer(packed: bytes, folder: path.hasSuffix(".json") ? nil : folder(of: path))
    {
        return tokenizer
    }
    let tokenizer = try openTokenizer(path: path)
    memory.write(tokenizer.packed())
    return tokenizer
}

/// The folder that a path names or whose file it names.
private func folder(of path: String) -> String {
    guard path.hasSuffix(".gguf") else { return path }
    return path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
}

/// Opens the tokenizer of a folder, a tokenizer.json or a GGUF file.
/// - Throws: One line that names the file and the place.
package func openTokenizer(path: String) throws -> Tokenizer {
    guard path.hasSuffix(".gguf") else {
        return path.hasSuffix(".json") ? try Tokenizer(file: path) : try Tokenizer(folder: path)
    }
    // Files beside a GGUF count before its metadata, as they do for the configuration.
    let folder = folder(of: path)
    if access(folder + "/tokenizer.json", R_OK) == 0 { return try Tokenizer(folder: folder) }
    guard let found = try readGGUFVocabulary(path: path) else { throw NoVocabulary(path: path) }
    return try Tokenizer(
        gguf: GGUFTokenizerKeys(
            tokens: found.tokens, tokenTypes: found.types, merges: found.merges, scores: found.scores,
            model: found.model,
            pre: found.pre, bos: found.bosTokenID, eos: found.eosTokenID,
            endOfTurn: found.eotTokenID, unknown: found.unknownTokenID,
            padding: found.paddingTokenID, addBOS: found.addsBOS, addEOS: found.addsEOS,
            addSpacePrefix: found.addsSpacePrefix, chatTemplate: found.chatTemplate, file: path))
}

/// A GGUF file holds weights but no vocabulary.
private struct NoVocabulary: Error, CustomStringConvertible {
    let path: String

    var description: String {
        "\(path): tokenizer.ggml.tokens is missing; name a tokenizer with --tokenizer-path or use --skip-tokenizer-init"
    }
}
