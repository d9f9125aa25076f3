/// Tokens that end an answer and that GGUF files seldom name: llama.cpp knows them by their spelling.
enum GGUFEndTokens {
    /// Ends of a turn, of a text, of a call.
    private static let ends: Set<[UInt8]> = bytes([
        "<|eot_id|>", "<|im_end|>", "<|end|>", "<|return|>", "<|call|>", "<|flush|>", "<|calls|>", "<end_of_turn>",
        "<|endoftext|>", "</s>", "<|eom_id|>", "<EOT>", "_<EOT>", "[EOT]", "[EOS]", "<|end_of_text|>",
        "<end_of_utterance>", "<eos>", "<turn|>", "<|tool_response>", "<\u{FF5C}end\u{2581}of\u{2581}sentence\u{FF5C}>",
        "[e~[",
    ])

    /// Marks of code models behind which nothing of the answer comes: padding, another repository, another file.
    private static let marks: Set<[UInt8]> = bytes([
        "<|fim_pad|>", "<fim-pad>", "<fim_pad>", "<PAD>", "[PAD]", "<|fim_repo|>", "<|repo_name|>", "<fim-repo>",
        "<REPO>", "<reponame>", "<|file_sep|>",
    ])

    private static func bytes(_ list: [String]) -> Set<[UInt8]> { Set(list.map { Array($0.utf8) }) }

    /// Those of a vocabulary, in the order of its ids.
    static func spelled(in tokens: [String]) -> [String] {
        let found = tokens.filter { token in
            guard let last = token.utf8.last, last == 0x3E || last == 0x5D || last == 0x5B else { return false }
            let bytes = Array(token.utf8)
            return ends.contains(bytes) || marks.contains(bytes)
        }
        let has = Set(found)
        // Where answers have calls, these end a part of the answer only.
        let hasCalls = has.contains("<|call|>") || has.contains("<|calls|>")
        let hasParts = hasCalls && (has.contains("<|return|>") || has.contains("<|flush|>"))
        return found.filter { token in
            switch token {
            case "<|end|>": !hasParts
            case "</s>": !has.contains("<|tool_response>")
            default: true
            }
        }
    }
}
