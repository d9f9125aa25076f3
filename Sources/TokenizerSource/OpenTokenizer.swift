internal import Glibc
internal import Models
package import ServerSettings
package import Tokenizers

/// Opens the tokenizer that the settings name: a folder or file of the Hugging Face kind, or the vocabulary inside a GGUF file.
///
/// Here alone a checkpoint's metadata and a tokenizer meet.
/// - Throws: One line that names the file and the place.
package func openTokenizer(_ settings: ServerSettings) throws -> Tokenizer {
    try openTokenizer(path: settings.tokenizerPath)
}

/// Opens the tokenizer of a folder, a tokenizer.json or a GGUF file.
/// - Throws: One line that names the file and the place.
package func openTokenizer(path: String) throws -> Tokenizer {
    guard path.hasSuffix(".gguf") else {
        return path.hasSuffix(".json") ? try Tokenizer(file: path) : try Tokenizer(folder: path)
    }
    // Files beside a GGUF count before its metadata, as they do for the configuration.
    let folder = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
    if access(folder + "/tokenizer.json", R_OK) == 0 { return try Tokenizer(folder: folder) }
    guard let found = try readGGUFVocabulary(path: path) else { throw NoVocabulary(path: path) }
    return try Tokenizer(
        gguf: Tokenizers.GGUFVocabulary(
            tokens: found.tokens, tokenTypes: found.types, merges: found.merges, scores: found.scores,
            model: found.model,
            pre: found.pre, bos: found.bosTokenID, eos: found.eosTokenID, unknown: found.unknownTokenID,
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
