/// Reads the channels of harmony, gpt-oss's way of marking what it thinks, says and calls.
struct HarmonyReader: Sendable {
    /// A piece of an answer.
    enum Piece: Sendable, Equatable {
        case reasoning(String)
        /// Text of a message; `isFirst` where the message begins.
        case text(String, isFirst: Bool)
        /// A whole message to a recipient, with its markers and without.
        case call(raw: String, header: HarmonyHeader, body: String)
    }

    private enum Place: Sendable {
        /// Between messages, where text counts as said.
        case outside
        /// Behind `<|call|>`, where a stray "commentary" may stand.
        case afterCall
        case header
        case body(HarmonyHeader)
    }

    private var place = Place.outside
    private var pending = PendingText()
    private var pieces: [Piece] = []
    /// The markers and the header of a message to a recipient.
    private var raw = ""
    private var isFirst = true

    init() {}

    mutating func feed(_ delta: String) -> [Piece] {
        pending.append(delta)
        while advance() {}
        defer { pieces = [] }
        return pieces
    }

    /// The same for the end of the text. A message to a recipient that was not ended counts, since the marker that ends it
    /// also ends the answer and may have been cut off.
    mutating func finish() -> [Piece] {
        let rest = pending.takeAll()
        switch place {
        case .outside, .afterCall: say(rest)
        case .header: break
        case .body(let header):
            if header.recipient != nil {
                pieces.append(.call(raw: raw + rest + HarmonyMarker.call.rawValue, header: header, body: rest))
            } else {
                give(rest, header)
            }
        }
        place = .outside
        defer { pieces = [] }
        return pieces
    }

    private mutating func advance() -> Bool {
        switch place {
        case .outside: return advanceOutside()
        case .afterCall: return skipFiller()
        case .header: return advanceHeader()
        case .body(let header): return advance(in: header)
        }
    }

    private mutating func advanceOutside() -> Bool {
        guard let (marker, start) = pending.first(of: HarmonyMarker.allCases) else {
            say(pending.take(pending.count - pending.heldBack(for: HarmonyMarker.texts)))
            return false
        }
        say(pending.take(start))
        isFirst = true
        if marker.opensMessage {
            place = .header
        } else {
            // A marker that means nothing here.
            pending.drop(marker.rawValue.utf8.count)
            if marker == .call { place = .afterCall }
        }
        return true
    }

    private mutating func skipFiller() -> Bool {
        let filler = "commentary"
        if pending.isBeginning(of: filler) { return false }
        if pending.begins(with: filler) {
            let rest = filler.utf8.count
            if pending.isBeginning(of: HarmonyMarker.channel.rawValue, at: rest) { return false }
            if pending.begins(with: HarmonyMarker.channel.rawValue, at: rest) { pending.drop(rest) }
        }
        place = .outside
        return true
    }

    private mutating func advanceHeader() -> Bool {
        let message = HarmonyMarker.message.rawValue
        guard let end = pending.place(of: message) else { return false }
        raw = pending.text(0..<end + message.utf8.count)
        let header = HarmonyHeader(pending.take(end))
        pending.drop(message.utf8.count)
        place = .body(header)
        return true
    }

    private mutating func advance(in header: HarmonyHeader) -> Bool {
        let ends = header.ends
        guard let (marker, end) = pending.first(of: ends) else {
            guard header.recipient == nil else { return false }
            give(pending.take(pending.count - pending.heldBack(for: ends.map(\.rawValue))), header)
            return false
        }
        let body = pending.take(end)
        pending.drop(marker.rawValue.utf8.count)
        if header.recipient != nil, marker == .call {
            pieces.append(.call(raw: raw + body + marker.rawValue, header: header, body: body))
        } else {
            give(body, header)
        }
        isFirst = true
        place = marker == .call ? .afterCall : .outside
        return true
    }

    private mutating func give(_ body: String, _ header: HarmonyHeader) {
        guard !body.utf8.isEmpty else { return }
        if header.channel == .analysis { pieces.append(.reasoning(body)) } else { say(body) }
    }

    private mutating func say(_ text: String) {
        guard !text.utf8.isEmpty else { return }
        pieces.append(.text(text, isFirst: isFirst))
        isFirst = false
    }
}
