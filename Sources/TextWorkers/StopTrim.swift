internal import Values

/// What of a request's text may be shown, given its stop strings.
package enum StopTrim {
    /// Text of a request that goes on: everything but an end that might be the start of a stop string.
    ///
    /// Works on UTF-8, where a match can begin at any byte but a cut is made only between characters.
    package static func shown(_ text: String, stops: [String]) -> Substring {
        guard let longest = stops.map(\.utf8.count).max(), longest > 0 else { return text[...] }
        let bytes = Array(text.utf8.suffix(longest))
        var held = 0
        for stop in stops where !stop.isEmpty {
            let pattern = Array(stop.utf8)
            for length in stride(from: min(pattern.count - 1, bytes.count), to: held, by: -1)
            where bytes[(bytes.count - length)...].elementsEqual(pattern[..<length]) {
                held = length
                break
            }
        }
        return text[..<text.utf8.index(text.endIndex, offsetBy: -held)]
    }

    /// Text of a request that a stop string or pattern ended: cut before its first occurrence, or behind it when it is kept.
    package static func cut(_ text: String, at stop: String, keep: Bool) -> Substring {
        guard !stop.isEmpty, let range = Array(text.utf8).firstRange(ofBytes: Array(stop.utf8)) else {
            return text[...]
        }
        return text[..<text.utf8.index(text.startIndex, offsetBy: keep ? range.upperBound : range.lowerBound)]
    }
}
