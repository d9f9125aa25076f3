/// The entities of HTML that a model escapes signs with.
enum HTMLEntities {
    private static let named: [String: String] = [
        "amp": "&", "lt": "<", "gt": ">", "quot": "\"", "apos": "'", "nbsp": "\u{A0}",
    ]

    /// The text with its entities replaced; what is none stays.
    static func replaced(in text: String) -> String {
        guard text.utf8.contains(UInt8(ascii: "&")) else { return text }
        var rest = PendingText(text)
        var result = ""
        while let start = rest.place(of: "&") {
            result += rest.take(start)
            if let end = rest.place(of: ";"), end <= 10, let sign = sign(rest.text(1..<end)) {
                result += sign
                rest.drop(end + 1)
            } else {
                result += rest.take(1)
            }
        }
        return result + rest.text
    }

    private static func sign(_ name: String) -> String? {
        guard name.utf8.first == UInt8(ascii: "#") else { return named[name] }
        let isHex = name.utf8.dropFirst().first.map { $0 | 0x20 == UInt8(ascii: "x") } ?? false
        return UInt32(name.dropFirst(isHex ? 2 : 1), radix: isHex ? 16 : 10).flatMap(Unicode.Scalar.init).map {
            String($0)
        }
    }
}
