internal import Values

extension String {
    /// What stands between each opening marker and the closing one that follows it, in order; a last one without a closing
    /// marker goes to the end if `unclosed`.
    func enclosed(by open: String, _ close: String, unclosed: Bool = false) -> [String] {
        var rest = PendingText(self)
        var found: [String] = []
        while let start = rest.place(of: open) {
            rest.drop(start + open.utf8.count)
            guard let end = rest.place(of: close) else {
                if unclosed { found.append(rest.text) }
                break
            }
            found.append(rest.take(end))
            rest.drop(close.utf8.count)
        }
        return found
    }

    /// What stands in front of a marker and behind it; nil where it does not stand in the text.
    func split(at marker: String) -> (before: String, after: String)? {
        var rest = PendingText(self)
        guard let place = rest.place(of: marker) else { return nil }
        let before = rest.take(place)
        rest.drop(marker.utf8.count)
        return (before, rest.text)
    }

    /// The same for the last time that a marker stands in the text.
    func split(atLast marker: String) -> (before: String, after: String)? {
        let bytes = Array(utf8)
        guard let range = bytes.lastRange(ofBytes: Array(marker.utf8)) else { return nil }
        return (
            String(decoding: bytes[..<range.lowerBound], as: UTF8.self),
            String(decoding: bytes[range.upperBound...], as: UTF8.self)
        )
    }

    /// Whether the bytes of a text stand anywhere in this one.
    func holds(_ part: String) -> Bool { PendingText(self).place(of: part) != nil }

    /// The text without what `str.removeprefix` and `str.removesuffix` remove, each once.
    func removing(prefix: String = "", suffix: String = "") -> String {
        var bytes = Array(utf8)[...]
        if bytes.starts(with: prefix.utf8) { bytes = bytes.dropFirst(prefix.utf8.count) }
        if bytes.reversed().starts(with: suffix.utf8.reversed()) { bytes = bytes.dropLast(suffix.utf8.count) }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// The text without any of these bytes at its ends.
    func trimming(_ bytes: UInt8...) -> String {
        let first = utf8.firstIndex { !bytes.contains($0) }
        guard let first, let last = utf8.lastIndex(where: { !bytes.contains($0) }) else { return "" }
        return String(decoding: Array(utf8[first...last]), as: UTF8.self)
    }

    /// The text with each of the given parts left out.
    func removingAll(_ parts: [String]) -> String {
        var text = self
        for part in parts {
            var kept = ""
            while let (before, after) = text.split(at: part) {
                kept += before
                text = after
            }
            text = kept + text
        }
        return text
    }
}
