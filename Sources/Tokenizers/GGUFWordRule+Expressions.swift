// Expressions, as the models publish them.
extension GGUFWordRule {
    private static let contractions = "(?i:'s|'t|'re|'ve|'m|'ll|'d)"
    private static let rest = #"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"#
    /// Llama 3.
    static let llama3 = contractions + #"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}"# + rest
    /// Qwen 2.
    static let qwen2 = contractions + #"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}"# + rest
    /// Qwen's words without English contractions.
    static let qwen2Words = #"[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}"# + rest
    /// Qwen 3.5: marks belong to their letters.
    static let qwen35 =
        contractions
        + #"|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"#
    private static let capitals = #"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]"#
    private static let smalls = #"[\p{Ll}\p{Lm}\p{Lo}\p{M}]"#
    private static let lead = #"[^\r\n\p{L}\p{N}]?"#
    private static let tail = #"| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+"#
    /// Mistral's Tekken.
    static let tekken = "\(lead)\(capitals)*\(smalls)+|\(lead)\(capitals)+\(smalls)*|\\p{N}" + tail
    /// GPT-4o.
    static let gpt4o =
        "\(lead)\(capitals)*\(smalls)+\(contractions)?|\(lead)\(capitals)+\(smalls)*\(contractions)?|\\p{N}{1,3}" + tail
    /// Youtu's words, once `youtuScripts` has been split off.
    static let youtu =
        "\(lead)\(capitals)*\(smalls)+\(contractions)?|\(lead)\(capitals)+\(smalls)*\(contractions)?|\\p{N}" + tail
    /// Korean, East Asian punctuation, Bopomofo, Chinese characters and Japanese kana.
    static let youtuScripts =
        #"[\x{AC00}-\x{D7A3}\x{3131}-\x{318E}]+"#
        + #"|[\x{FF01}\x{2026}\x{201C}\x{201D}\x{2018}\x{2019}\x{2014}\x{FF1A}\x{FF1B}\x{FF0C}"#
        + #"\x{3001}-\x{303F}\x{FE30}-\x{FE4F}]+|[\x{3105}-\x{312F}]+"#
        + #"|[\x{4E00}-\x{9FA5}\x{3040}-\x{309F}\x{30A0}-\x{30FF}]+"#
    /// Jais 2: long white space falls into powers of two.
    static let jais2 =
        contractions + #"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+"#
        + #"|\s{512}(?!\S)|\s{256}(?!\S)|\s{128}(?!\S)|\s{64}(?!\S)|\s{32}(?!\S)|\s{16}(?!\S)"#
        + #"|\s{8}(?!\S)|\s{4}(?!\S)|\s{1,2}(?!\S)|\s{1}"#
    /// MiniCPM 5, once digits have been split off.
    static let minicpm5 = contractions + #"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}+"# + rest
    /// Bailing (Ling).
    static let bailing =
        #"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]++[\r\n]*|\s*[\r\n]"#
        + #"|\s+(?!\S)|\s+"#
    /// Seed-Coder.
    static let seedCoder =
        contractions
        + #"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1}| ?[^\s\p{L}\p{N}\r\n]+|\s*[\r\n]+|\s+(?!\S)|\s+"#
    /// EXAONE MoE: several words at once.
    static let exaoneMoE =
        contractions
        + #"|[^\r\n\p{L}\p{N}]?(?:\p{L}\p{M}*(?: \p{L}\p{M}*)*)+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]?"#
        + #"|\s*[\r\n]|\s+(?!\S)|\s+"#
    /// Bloom.
    static let bloom = " ?[^(\\s|.,!?…。，、।۔،)]+"
    /// Scripts that DeepSeek splits off.
    static let eastAsian = "[一-龥ࠀ-一가-\u{D7FF}]+"
    /// Punctuation as DeepSeek lists it.
    static let deepseekPunctuation = "\\s?[!-/:-~！-／：-～‘-‟　-。]+"
    /// Chinese characters and Japanese kana, split off first.
    static let deepseek3Scripts = "[一-龥\u{3040}-ゟ゠-ヿ]+"
    /// DeepSeek 3.
    static let deepseek3 = deepseek3Words + #"| ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"#
    /// Spark: line ends stand alone.
    static let spark = deepseek3Words + #"| ?[\p{P}\p{S}]+|[\r\n]|\s+(?!\S)|\s+"#
    private static let deepseek3Words =
        ##"[!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+"##
    /// Letters of scripts with two cases, as DeepSeek lists them.
    static let deepseekLetters =
        #"\s?["#
        + #"\x{0041}-\x{005A}\x{0061}-\x{007A}\x{00B5}\x{00C0}-\x{00D6}\x{00D8}-\x{00F6}\x{00F8}-\x{01BA}"#
        + #"\x{01BC}-\x{01BF}\x{01C4}-\x{0293}\x{0295}-\x{02AF}\x{0370}-\x{0373}\x{0376}\x{0377}"#
        + #"\x{037B}-\x{037D}\x{037F}\x{0386}\x{0388}-\x{038A}\x{038C}\x{038E}-\x{03A1}\x{03A3}-\x{03F5}"#
        + #"\x{03F7}-\x{0481}\x{048A}-\x{052F}\x{0531}-\x{0556}\x{10A0}-\x{10C5}\x{13A0}-\x{13F5}"#
        + #"\x{13F8}-\x{13FD}\x{1C90}-\x{1CBA}\x{1CBD}-\x{1CBF}\x{1D00}-\x{1D2B}\x{1D6B}-\x{1D77}"#
        + #"\x{1D79}-\x{1D9A}\x{1E00}-\x{1F15}\x{1F18}-\x{1F1D}\x{1F20}-\x{1F45}\x{1F48}-\x{1F4D}"#
        + #"\x{1F50}-\x{1F57}\x{1F59}\x{1F5B}\x{1F5D}\x{1F5F}-\x{1F7D}\x{1F80}-\x{1FB4}\x{1FB6}-\x{1FBC}"#
        + #"\x{1FBE}\x{1FC2}-\x{1FC4}\x{1FC6}-\x{1FCC}\x{1FD0}-\x{1FD3}\x{1FD6}-\x{1FDB}\x{1FE0}-\x{1FEC}"#
        + #"\x{1FF2}-\x{1FF4}\x{1FF6}-\x{1FFC}\x{2102}\x{2107}\x{210A}-\x{2113}\x{2115}\x{2119}-\x{211D}"#
        + #"\x{2124}\x{2126}\x{2128}\x{212A}-\x{212D}\x{212F}-\x{2134}\x{2139}\x{213C}-\x{213F}"#
        + #"\x{2145}-\x{2149}\x{214E}\x{2183}\x{2184}\x{2C00}-\x{2C7B}\x{2C7E}-\x{2CE4}\x{2CEB}-\x{2CEE}"#
        + #"\x{2CF2}\x{2CF3}\x{A640}-\x{A66D}\x{A680}-\x{A69B}\x{A722}-\x{A76F}\x{A771}-\x{A787}"#
        + #"\x{A78B}-\x{A78E}\x{AB70}-\x{ABBF}\x{FB00}-\x{FB06}\x{FB13}-\x{FB17}\x{FF21}-\x{FF3A}"#
        + #"\x{FF41}-\x{FF5A}\x{10400}-\x{1044F}\x{104B0}-\x{104D3}\x{104D8}-\x{104FB}\x{10C80}-\x{10CB2}"#
        + #"\x{10CC0}-\x{10CF2}\x{118A0}-\x{118DF}\x{1E900}-\x{1E943}"#
        + "]+"
}
