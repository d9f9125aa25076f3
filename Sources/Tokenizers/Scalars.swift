internal import CUtf8proc

/// The scalar that starts at a byte of well-formed UTF-8, and its length in bytes.
func scalar(in text: UnsafeBufferPointer<UInt8>, at index: Int) -> (code: UInt32, length: Int) {
    let lead = UInt32(text[index])
    if lead < 0x80 { return (lead, 1) }
    let second = UInt32(text[index + 1] & 0x3F)
    if lead < 0xE0 { return ((lead & 0x1F) << 6 | second, 2) }
    let third = UInt32(text[index + 2] & 0x3F)
    if lead < 0xF0 { return ((lead & 0x0F) << 12 | second << 6 | third, 3) }
    return ((lead & 0x07) << 18 | second << 12 | third << 6 | UInt32(text[index + 3] & 0x3F), 4)
}

/// Appends a scalar in UTF-8.
func appendUTF8(_ code: UInt32, to bytes: inout [UInt8]) {
    if code < 0x80 {
        bytes.append(UInt8(code))
    } else if code < 0x800 {
        bytes.append(UInt8(0xC0 | code >> 6))
        bytes.append(UInt8(0x80 | code & 0x3F))
    } else if code < 0x10000 {
        bytes.append(UInt8(0xE0 | code >> 12))
        bytes.append(UInt8(0x80 | code >> 6 & 0x3F))
        bytes.append(UInt8(0x80 | code & 0x3F))
    } else {
        bytes.append(UInt8(0xF0 | code >> 18))
        bytes.append(UInt8(0x80 | code >> 12 & 0x3F))
        bytes.append(UInt8(0x80 | code >> 6 & 0x3F))
        bytes.append(UInt8(0x80 | code & 0x3F))
    }
}

/// Classes of characters that components of tokenizers are defined by.
///
/// Some are those of an old version of Unicode: the reference never updated these tables, and ids must be the same.
enum CharacterClass {
    /// Unicode's White_Space.
    static func isWhitespace(_ code: UInt32) -> Bool {
        if code < 0x80 { return code == 0x20 || (0x09...0x0D).contains(code) }
        return properties(code).isWhitespace
    }

    /// Categories Nd, Nl and No.
    static func isNumeric(_ code: UInt32) -> Bool {
        if code < 0x80 { return (0x30...0x39).contains(code) }
        switch properties(code).generalCategory {
        case .decimalNumber, .letterNumber, .otherNumber: return true
        default: return false
        }
    }

    /// Categories P of Unicode 8, and ASCII's symbols.
    static func isPunctuation(_ code: UInt32) -> Bool {
        if code < 0x80 {
            return (0x21...0x2F).contains(code) || (0x3A...0x40).contains(code) || (0x5B...0x60).contains(code)
                || (0x7B...0x7E).contains(code)
        }
        // U+166D became a symbol later on, U+111C9 a mark.
        let isPunctuation = (UTF8PROC_CATEGORY_PC.rawValue...UTF8PROC_CATEGORY_PO.rawValue).contains(category(code))
        return isPunctuation && exists(code, inUnicode: 8) || code == 0x166D || code == 0x111C9
    }

    /// `\w` of Unicode regular expressions (UTS 18, annex C), of Unicode 16.
    static func isWord(_ code: UInt32) -> Bool {
        if code < 0x80 {
            return (0x30...0x39).contains(code) || (0x41...0x5A).contains(code) || (0x61...0x7A).contains(code)
                || code == 0x5F
        }
        guard exists(code, inUnicode: 16) else { return false }
        let properties = properties(code)
        if properties.isAlphabetic || properties.isJoinControl { return true }
        switch properties.generalCategory {
        case .decimalNumber, .connectorPunctuation, .nonspacingMark, .spacingMark, .enclosingMark: return true
        default: return false
        }
    }

    /// Categories Mn, Mc and Me of Unicode 9.
    static func isMark(_ code: UInt32) -> Bool {
        switch code {
        case ..<0x300: return false
        // These changed category later on.
        case 0x1CF2, 0x1CF3: return true
        case 0x111C9: return false
        default:
            let marks = UTF8PROC_CATEGORY_MN.rawValue...UTF8PROC_CATEGORY_ME.rawValue
            return marks.contains(category(code)) && exists(code, inUnicode: 9)
        }
    }

    /// Category Mn of Unicode 8.
    static func isNonspacingMark(_ code: UInt32) -> Bool {
        switch code {
        case ..<0x300: return false
        // These changed category later on.
        case 0x1734: return true
        case 0x1885, 0x1886, 0xA9BD, 0x111C9: return false
        default: return category(code) == UTF8PROC_CATEGORY_MN.rawValue && exists(code, inUnicode: 8)
        }
    }

    /// Categories Cc, Cf and Co of Unicode 8, but not tab, line feed and carriage return: what BERT cleans away.
    static func isControl(_ code: UInt32) -> Bool {
        if code == 0x09 || code == 0x0A || code == 0x0D { return false }
        let category = category(code)
        return category == UTF8PROC_CATEGORY_CC.rawValue || category == UTF8PROC_CATEGORY_CO.rawValue
            || category == UTF8PROC_CATEGORY_CF.rawValue && exists(code, inUnicode: 8)
    }

    /// The general category in utf8proc's numbering, which keeps families together.
    private static func category(_ code: UInt32) -> UInt32 {
        UInt32(utf8proc_category(Int32(bitPattern: code)).rawValue)
    }

    /// Whether a version of Unicode already had the character.
    static func exists(_ code: UInt32, inUnicode version: Int) -> Bool {
        guard let age = properties(code).age else { return false }
        return age.major < version || age.major == version && age.minor == 0
    }

    private static func properties(_ code: UInt32) -> Unicode.Scalar.Properties {
        (Unicode.Scalar(code) ?? "\u{FFFD}").properties
    }
}
