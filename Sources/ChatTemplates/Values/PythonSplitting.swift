// Cutting and searching texts as Python does.
extension PythonText {
    /// `split` and `rsplit` at a separator.
    static func split(_ text: String, _ separator: String, limit: Int, fromRight: Bool) -> [String] {
        let bytes = Array(text.utf8)
        let part = Array(separator.utf8)
        var places = fromRight ? placesFromRight(of: part, in: bytes) : places(of: part, in: bytes, limit: limit)
        if fromRight { places = Array(places.prefix(limit).reversed()) }
        var parts: [String] = []
        var start = 0
        for place in places {
            parts.append(String(decoding: bytes[start..<place], as: UTF8.self))
            start = place + part.count
        }
        parts.append(String(decoding: bytes[start...], as: UTF8.self))
        return parts
    }

    private static func placesFromRight(of part: [UInt8], in text: [UInt8]) -> [Int] {
        var found: [Int] = []
        var place = text.count - part.count
        while place >= 0 {
            if text[place..<(place + part.count)].elementsEqual(part) {
                found.append(place)
                place -= part.count
            } else {
                place -= 1
            }
        }
        return found
    }

    /// `split` and `rsplit` at runs of space.
    static func words(of text: String, limit: Int, fromRight: Bool) -> [String] {
        var scalars = Array(text.unicodeScalars)
        if fromRight { scalars.reverse() }
        var words: [[Unicode.Scalar]] = []
        var place = 0
        while true {
            while place < scalars.count, isSpace(scalars[place]) { place += 1 }
            guard place < scalars.count else { break }
            if words.count == limit {
                var end = scalars.count
                while isSpace(scalars[end - 1]) { end -= 1 }
                words.append(Array(scalars[place..<end]))
                break
            }
            var end = place
            while end < scalars.count, !isSpace(scalars[end]) { end += 1 }
            words.append(Array(scalars[place..<end]))
            place = end
        }
        return fromRight ? words.reversed().map { String($0.reversed()) } : words.map { String($0) }
    }

    /// `splitlines`.
    static func lines(of text: String, keepsEnds: Bool) -> [String] {
        let scalars = Array(text.unicodeScalars)
        var lines: [String] = []
        var start = 0
        var place = 0
        while place < scalars.count {
            guard isLineBreak(scalars[place]) else {
                place += 1
                continue
            }
            let end = place
            place += scalars[place] == "\r" && place + 1 < scalars.count && scalars[place + 1] == "\n" ? 2 : 1
            lines.append(String(scalars[start..<(keepsEnds ? place : end)]))
            start = place
        }
        if start < scalars.count { lines.append(String(scalars[start...])) }
        return lines
    }

    static func hasAffix(_ text: String, _ affix: String, atStart: Bool) -> Bool {
        let (text, affix) = (text.utf8, affix.utf8)
        guard text.count >= affix.count else { return false }
        return atStart ? text.starts(with: affix) : text.suffix(affix.count).elementsEqual(affix)
    }

    /// Where a part occurs, by code points: every place where it begins, or those without overlap from the left.
    static func occurrences(
        of part: [Unicode.Scalar], in text: ArraySlice<Unicode.Scalar>, fromRight: Bool, overlaps: Bool
    ) -> [Int] {
        guard text.count >= part.count else { return [] }
        let last = text.endIndex - part.count
        if overlaps {
            // One place is all that is asked for.
            let places = Array(text.startIndex...last)
            let isHere = { (place: Int) in text[place..<(place + part.count)].elementsEqual(part) }
            return (fromRight ? places.last(where: isHere) : places.first(where: isHere)).map { [$0] } ?? []
        }
        if part.isEmpty { return Array(text.startIndex...last) }
        var found: [Int] = []
        var place = text.startIndex
        while place <= last {
            if text[place..<(place + part.count)].elementsEqual(part) {
                found.append(place)
                place += part.count
            } else {
                place += 1
            }
        }
        return found
    }

    /// `isdigit` and its kin; nil for what is not known.
    static func answers(_ name: String, _ text: String) -> Bool? {
        let scalars = text.unicodeScalars
        let all = { (test: (Unicode.Scalar) -> Bool) in !scalars.isEmpty && scalars.allSatisfy(test) }
        switch name {
        case "isspace": return all(isSpace)
        case "isascii": return scalars.allSatisfy(\.isASCII)
        case "isdigit":
            return all { [.decimal, .digit].contains($0.properties.numericType) }
        case "isdecimal": return all { $0.properties.numericType == .decimal }
        case "isnumeric": return all { $0.properties.numericType != nil }
        case "isalpha": return all(isLetter)
        case "isalnum": return all { isLetter($0) || $0.properties.numericType != nil }
        case "isupper":
            return scalars.contains { $0.properties.isUppercase }
                && !scalars.contains { $0.properties.isLowercase || $0.properties.generalCategory == .titlecaseLetter }
        case "islower":
            return scalars.contains { $0.properties.isLowercase }
                && !scalars.contains { $0.properties.isUppercase || $0.properties.generalCategory == .titlecaseLetter }
        case "isidentifier":
            guard let first = scalars.first, first == "_" || first.properties.isXIDStart else { return false }
            return scalars.allSatisfy(\.properties.isXIDContinue)
        default: return nil
        }
    }

    private static func isLetter(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter: true
        default: false
        }
    }
}
