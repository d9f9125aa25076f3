// What the filters on texts do, where Python has no method for it.
extension PythonText {
    /// Jinja's `title`: words begin behind space, hyphens and opening brackets.
    static func titleOfWords(_ text: String) -> String {
        var result = ""
        var word = String.UnicodeScalarView()
        let flush = { (word: inout String.UnicodeScalarView, result: inout String) in
            guard let first = word.first else { return }
            result += upper(String(Character(first))) + lower(String(word.dropFirst()))
            word = String.UnicodeScalarView()
        }
        for scalar in text.unicodeScalars {
            if isSpace(scalar) || "-({[<".unicodeScalars.contains(scalar) {
                flush(&word, &result)
                result.unicodeScalars.append(scalar)
            } else {
                word.append(scalar)
            }
        }
        flush(&word, &result)
        return result
    }

    /// Runs of letters, digits and underscores.
    static func wordCount(_ text: String) -> Int {
        var count = 0
        var isInWord = false
        for scalar in text.unicodeScalars {
            let isWord = scalar == "_" || answers("isalnum", String(Character(scalar))) == true
            if isWord, !isInWord { count += 1 }
            isInWord = isWord
        }
        return count
    }

    /// Text for HTML.
    static func escaped(_ text: String) -> String {
        var result = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": result.append(contentsOf: "&amp;".unicodeScalars)
            case "<": result.append(contentsOf: "&lt;".unicodeScalars)
            case ">": result.append(contentsOf: "&gt;".unicodeScalars)
            case "'": result.append(contentsOf: "&#39;".unicodeScalars)
            case "\"": result.append(contentsOf: "&#34;".unicodeScalars)
            default: result.append(scalar)
            }
        }
        return String(result)
    }

    /// Text without HTML's tags, and with single spaces.
    static func withoutTags(_ text: String) -> String {
        let scalars = Array(text.unicodeScalars)
        var result = String.UnicodeScalarView()
        var place = 0
        while place < scalars.count {
            if scalars[place] == "<", let end = scalars[place...].firstIndex(of: ">") {
                place = end + 1
            } else {
                result.append(scalars[place])
                place += 1
            }
        }
        return words(of: String(result), limit: .max, fromRight: false).joined(separator: " ")
    }

    /// Text for a URL.
    static func percentEncoded(_ text: String) -> String {
        let digits = Array("0123456789ABCDEF".utf8)
        var bytes: [UInt8] = []
        for byte in text.utf8 {
            let scalar = Unicode.Scalar(byte)
            if scalar.isASCII, scalar.properties.isAlphabetic || (48...57).contains(byte) || "_.-~/".utf8.contains(byte)
            {
                bytes.append(byte)
            } else {
                bytes.append(contentsOf: [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]])
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
