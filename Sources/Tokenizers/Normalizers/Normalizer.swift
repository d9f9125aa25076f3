/// What happens to text before it is split: the `normalizer` of tokenizer.json.
indirect enum Normalizer: Sendable {
    case sequence([Normalizer])
    case form(UnicodeForm)
    case lowercase
    /// Removes white space at the ends.
    case strip(left: Bool, right: Bool)
    /// Removes combining marks.
    case stripAccents
    /// Puts text in front of anything that is not empty.
    case prepend([UInt8])
    case replace(Pattern, with: [UInt8])
    case bert(BertNormalizer)
    /// SentencePiece's replacements.
    case characterMap(CharacterMap)
    /// Spells every byte as a character (see `ByteAlphabet`).
    case byteLevel
    /// The rules of the NMT project: control characters vanish, odd spaces become spaces.
    case nmt

    /// Normalizes well-formed UTF-8 in place; it stays well-formed.
    ///
    /// - Returns: Whether the text still begins where it began, with nothing cut off its start.
    @discardableResult
    func apply(to text: inout [UInt8], region: SearchRegion) -> Bool {
        switch self {
        case .sequence(let steps):
            return steps.reduce(true) { keepsStart, step in step.apply(to: &text, region: region) && keepsStart }
        case .form(let form):
            form.apply(to: &text)
        case .lowercase:
            Self.lowercase(&text)
        case .strip(let left, let right):
            let start = text.withUnsafeBufferPointer { left ? spanOfWhitespace(in: $0, from: 0) : 0 }
            text = Self.stripped(text, left: left, right: right)
            return start == 0
        case .stripAccents:
            return Self.filterMap(&text) { CharacterClass.isMark($0) ? nil : $0 }
        case .prepend(let prefix):
            if !text.isEmpty { text.insert(contentsOf: prefix, at: 0) }
        case .replace(let pattern, let content):
            return pattern.replace(in: &text, with: content, region: region)
        case .bert(let normalizer):
            normalizer.apply(to: &text)
        case .characterMap(let map):
            map.apply(to: &text)
        case .byteLevel:
            text = ByteAlphabet.spelled(text)
        case .nmt:
            return Self.filterMap(&text, Self.nmt)
        }
        return true
    }

    /// Keeps, changes or drops each scalar; tells whether the first one was kept.
    @discardableResult
    static func filterMap(_ text: inout [UInt8], _ change: (UInt32) -> UInt32?) -> Bool {
        var keepsStart = true
        var result: [UInt8] = []
        result.reserveCapacity(text.count)
        text.withUnsafeBufferPointer { buffer in
            var at = 0
            while at < buffer.count {
                let (code, length) = scalar(in: buffer, at: at)
                if let changed = change(code) {
                    appendUTF8(changed, to: &result)
                } else if at == 0 {
                    keepsStart = false
                }
                at += length
            }
        }
        text = result
        return keepsStart
    }

    /// Full lower-case mapping of each scalar by itself, without context.
    static func lowercase(_ text: inout [UInt8]) {
        var result: [UInt8] = []
        result.reserveCapacity(text.count)
        text.withUnsafeBufferPointer { buffer in
            var at = 0
            while at < buffer.count {
                let (code, length) = scalar(in: buffer, at: at)
                at += length
                if code < 0x80 {
                    result.append((0x41...0x5A).contains(code) ? UInt8(code + 0x20) : UInt8(code))
                } else if let scalar = Unicode.Scalar(code) {
                    result.append(contentsOf: scalar.properties.lowercaseMapping.utf8)
                }
            }
        }
        text = result
    }

    private static func stripped(_ text: [UInt8], left: Bool, right: Bool) -> [UInt8] {
        text.withUnsafeBufferPointer { buffer in
            var start = 0
            var end = buffer.count
            if left { start = spanOfWhitespace(in: buffer, from: 0) }
            if right, start < end { end = startOfTrailingWhitespace(in: buffer, upTo: end) }
            return start < end ? Array(buffer[start..<end]) : []
        }
    }

    private static func nmt(_ code: UInt32) -> UInt32? {
        switch code {
        case 0x01...0x08, 0x0B, 0x0E...0x1F, 0x7F, 0x8F, 0x9F: nil
        case 0x09, 0x0A, 0x0C, 0x0D, 0x1680, 0x200B...0x200F, 0x2028, 0x2029, 0x2581, 0xFEFF, 0xFFFD: 0x20
        default: code
        }
    }
}

/// Where the white space that starts at `start` ends.
func spanOfWhitespace(in text: UnsafeBufferPointer<UInt8>, from start: Int) -> Int {
    var at = start
    while at < text.count {
        let (code, length) = scalar(in: text, at: at)
        if !CharacterClass.isWhitespace(code) { break }
        at += length
    }
    return at
}

/// Where the white space that ends at `end` starts.
func startOfTrailingWhitespace(in text: UnsafeBufferPointer<UInt8>, upTo end: Int) -> Int {
    var at = end
    while at > 0 {
        let start = startOfScalar(in: text, before: at)
        if !CharacterClass.isWhitespace(scalar(in: text, at: start).code) { break }
        at = start
    }
    return at
}

/// Where the scalar that ends at `end` starts; `end` is above 0.
func startOfScalar(in text: UnsafeBufferPointer<UInt8>, before end: Int) -> Int {
    var start = end - 1
    while start > 0, text[start] & 0xC0 == 0x80 { start -= 1 }
    return start
}
