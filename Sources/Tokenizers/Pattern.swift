internal import Values

/// What Hugging Face's `Split` and `Replace` look for: a fixed string or a regular expression.
enum Pattern: Sendable {
    case literal([UInt8])
    case regex(Regex)

    /// Calls `body` with each match from left to right, none overlapping.
    func forEachMatch(
        in text: UnsafeBufferPointer<UInt8>, region: SearchRegion, _ body: (Range<Int>) -> Void
    ) {
        switch self {
        case .regex(let regex):
            regex.forEachMatch(in: text, region: region, body)
        case .literal(let needle):
            guard !needle.isEmpty else { return }
            var end = 0
            while let match = text.firstRange(ofBytes: needle, from: end) {
                body(match)
                end = match.upperBound
            }
        }
    }

    /// The text with every match replaced.
    func replacing(_ text: [UInt8], with content: [UInt8], region: SearchRegion) -> [UInt8] {
        var result: [UInt8] = []
        var end = 0
        text.withUnsafeBufferPointer { buffer in
            forEachMatch(in: buffer, region: region) { match in
                result.append(contentsOf: buffer[end..<match.lowerBound])
                result.append(contentsOf: content)
                end = match.upperBound
            }
            result.append(contentsOf: buffer[end...])
        }
        return result
    }

    /// Replaces every match; tells whether the text still begins where it began.
    func replace(in text: inout [UInt8], with content: [UInt8], region: SearchRegion) -> Bool {
        var cutsStart = false
        if content.isEmpty {
            text.withUnsafeBufferPointer { buffer in
                forEachMatch(in: buffer, region: region) { if $0.lowerBound == 0, !$0.isEmpty { cutsStart = true } }
            }
        }
        text = replacing(text, with: content, region: region)
        return !cutsStart
    }
}
