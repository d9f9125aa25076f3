/// The markers of harmony.
enum HarmonyMarker: String, CaseIterable, Sendable {
    case start = "<|start|>"
    case channel = "<|channel|>"
    case message = "<|message|>"
    case constrain = "<|constrain|>"
    case end = "<|end|>"
    case call = "<|call|>"
    case `return` = "<|return|>"

    static let texts = allCases.map(\.rawValue)

    /// Whether a message begins with this.
    var opensMessage: Bool { self == .start || self == .channel }
}

/// What stands in front of a message: who speaks, in which channel, to whom.
struct HarmonyHeader: Sendable, Equatable {
    /// Where a message goes.
    enum Channel: Sendable {
        case analysis, commentary, final
        /// A message without a channel, such as a tool's answer.
        case none
    }

    let channel: Channel
    /// Whom a call goes to, such as `functions.add`.
    let recipient: String?

    /// Reads the text up to `<|message|>`, with the marker that begins it.
    init(_ text: String) {
        let bytes = PendingText(text)
        if let marker = bytes.place(of: HarmonyMarker.channel.rawValue) {
            let name = bytes.text(marker + HarmonyMarker.channel.rawValue.utf8.count..<bytes.count).stripped
                .lowercased()
            channel =
                name.utf8.starts(with: "analysis".utf8)
                ? .analysis : name.utf8.starts(with: "final".utf8) ? .final : .commentary
        } else {
            channel = .none
        }
        recipient = bytes.place(of: "to=").flatMap { start -> String? in
            let name = bytes.text(start + 3..<bytes.count).utf8.prefix { Self.continuesName($0) }
            return name.isEmpty ? nil : String(decoding: Array(name), as: UTF8.self)
        }
    }

    /// The name of the tool that is called: without the namespace in front of it.
    var tool: String? { recipient.map { String($0.split(separator: ".").last ?? "") } }

    /// What ends the message.
    var ends: [HarmonyMarker] {
        switch channel {
        case .final: [.return]
        case .analysis, .commentary: [.end, .call]
        case .none: [.end, .call, .return]
        }
    }

    private static func continuesName(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, UInt8(ascii: "_"), UInt8(ascii: "."), UInt8(ascii: "-"): true
        default: false
        }
    }
}

extension PendingText {
    /// The marker that stands first, and where.
    func first(of markers: [HarmonyMarker]) -> (HarmonyMarker, Int)? {
        markers.compactMap { marker in place(of: marker.rawValue).map { (marker, $0) } }.min { $0.1 < $1.1 }
    }
}
