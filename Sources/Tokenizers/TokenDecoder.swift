/// How tokens become text again: the `decoder` of tokenizer.json.
indirect enum TokenDecoder: Sendable {
    case sequence([TokenDecoder])
    /// Characters back to bytes; what is not UTF-8 becomes U+FFFD.
    case byteLevel
    /// `<0xNN>` tokens back to bytes; a run of them that is not UTF-8 becomes one U+FFFD for each.
    case byteFallback
    /// Joins all tokens into one.
    case fuse
    /// Cuts up to so many of a character off each token's ends.
    case strip(Unicode.Scalar, start: Int, stop: Int)
    case replace(Pattern, with: [UInt8])
    case metaspace(Metaspace)
    /// Takes the end-of-word suffix for a space.
    case bpe(suffix: [UInt8])
    /// Joins words whose tokens but the first bear a prefix; takes back the spaces around punctuation and contractions.
    case wordPiece(prefix: [UInt8], cleansUp: Bool)

    /// Rewrites the list of tokens; the text is what the last decoder leaves, joined.
    func apply(to tokens: inout [[UInt8]], region: SearchRegion) {
        switch self {
        case .sequence(let steps):
            for step in steps { step.apply(to: &tokens, region: region) }
        case .byteLevel:
            let bytes = tokens.flatMap { ByteAlphabet.bytes(of: $0[...]) }
            tokens = [Array(String(decoding: bytes, as: UTF8.self).utf8)]
        case .byteFallback:
            tokens = Self.joiningBytes(tokens)
        case .fuse:
            tokens = [Array(tokens.joined())]
        case .strip(let character, let start, let stop):
            let content = Array(String(character).utf8)
            for index in tokens.indices { tokens[index] = Self.stripped(tokens[index], content, start, stop) }
        case .replace(let pattern, let content):
            for index in tokens.indices {
                tokens[index] = pattern.replacing(tokens[index], with: content, region: region)
            }
        case .metaspace(let metaspace):
            let mark = Pattern.literal(Array(String(metaspace.replacement).utf8))
            for index in tokens.indices {
                let vanishes = index == 0 && metaspace.prependScheme != .never
                tokens[index] = mark.replacing(tokens[index], with: vanishes ? [] : [0x20], region: region)
            }
        case .bpe(let suffix):
            for index in tokens.indices {
                let space: [UInt8] = index == tokens.count - 1 ? [] : [0x20]
                tokens[index] = Pattern.literal(suffix).replacing(tokens[index], with: space, region: region)
            }
        case .wordPiece(let prefix, let cleansUp):
            for index in tokens.indices {
                if index > 0 { tokens[index] = Self.continuing(tokens[index][...], prefix) }
                if cleansUp { Self.cleanUp(&tokens[index], region) }
            }
        }
    }

    /// A token behind another one: with a space, or without its prefix.
    private static func continuing(_ token: ArraySlice<UInt8>, _ prefix: [UInt8]) -> [UInt8] {
        token.starts(with: prefix) ? Array(token.dropFirst(prefix.count)) : [0x20] + token
    }

    /// What English writes without a space.
    private static let contracted: [(Pattern, [UInt8])] = [
        (" .", "."), (" ?", "?"), (" !", "!"), (" ,", ","), (" ' ", "'"), (" n't", "n't"), (" 'm", "'m"),
        (" do not", " don't"), (" 's", "'s"), (" 've", "'ve"), (" 're", "'re"),
    ].map { (.literal(Array($0.utf8)), Array($1.utf8)) }

    private static func cleanUp(_ token: inout [UInt8], _ region: SearchRegion) {
        for (pattern, content) in contracted { token = pattern.replacing(token, with: content, region: region) }
    }

    private static func joiningBytes(_ tokens: [[UInt8]]) -> [[UInt8]] {
        var result: [[UInt8]] = []
        var run: [UInt8] = []
        func flush() {
            if run.isEmpty { return }
            if String(validating: run, as: UTF8.self) != nil {
                result.append(run)
            } else {
                result.append(contentsOf: repeatElement(Array("\u{FFFD}".utf8), count: run.count))
            }
            run.removeAll()
        }
        for token in tokens {
            if let byte = ByteTokens.byte(of: token) {
                run.append(byte)
            } else {
                flush()
                result.append(token)
            }
        }
        flush()
        return result
    }

    private static func stripped(_ token: [UInt8], _ content: [UInt8], _ start: Int, _ stop: Int) -> [UInt8] {
        var rest = token[...]
        var cut = 0
        while cut < start, rest.starts(with: content) {
            rest = rest.dropFirst(content.count)
            cut += 1
        }
        cut = 0
        while cut < stop, rest.count >= content.count, rest.suffix(content.count) == content[...] {
            rest = rest.dropLast(content.count)
            cut += 1
        }
        return Array(rest)
    }
}

extension TokenDecoder {
    /// The bytes that one token adds somewhere inside a text; what only concerns the start or end of a text is left
    /// out.
    func bytes(ofInnerToken token: ArraySlice<UInt8>, region: SearchRegion) -> [UInt8] {
        var bytes = Array(token)
        var isRaw = false
        for step in flattened {
            switch step {
            case .byteLevel:
                return ByteAlphabet.bytes(of: bytes[...])
            case .byteFallback:
                if let byte = ByteTokens.byte(of: bytes) {
                    bytes = [byte]
                    isRaw = true
                }
            case .fuse:
                return bytes
            case .metaspace(let metaspace) where !isRaw:
                let mark = Pattern.literal(Array(String(metaspace.replacement).utf8))
                bytes = mark.replacing(bytes, with: [0x20], region: region)
            case .bpe(let suffix):
                bytes = Pattern.literal(suffix).replacing(bytes, with: [0x20], region: region)
            case .wordPiece(let prefix, let cleansUp):
                bytes = Self.continuing(bytes[...], prefix)
                if cleansUp { Self.cleanUp(&bytes, region) }
            case .replace, .strip:
                if !isRaw {
                    var tokens = [bytes]
                    step.apply(to: &tokens, region: region)
                    bytes = tokens[0]
                }
            case .metaspace, .sequence: break
            }
        }
        return bytes
    }

    private var flattened: [TokenDecoder] {
        if case .sequence(let steps) = self { steps.flatMap(\.flattened) } else { [self] }
    }
}
