internal import JSON
package import Ledger
internal import Values

/// Ids of the calls in an answer. They follow from the row's name and the call's place, so that an answer that is written
/// again has the same.
package struct CallNames: Sendable {
    private let row: String
    /// Calls that the conversation holds already.
    private let earlier: Int

    /// - Parameter earlier: calls that the conversation holds already.
    package init(_ row: LedgerRow, earlier: Int) {
        self.row = row.rid.text
        self.earlier = earlier
    }

    /// The id of a call.
    package func id(_ index: Int, _ name: String, _ parts: AnswerParts, prefix: String = "call_") -> String {
        parts.callID(of: name, ordinal: earlier + index) ?? prefix + digits(index)
    }

    /// 24 hexadecimal digits.
    private func digits(_ index: Int) -> String {
        var state: UInt64 = UInt64(index) &+ 1
        for byte in row.utf8 { state = SplitMix64.mixed(state &+ UInt64(byte) &+ SplitMix64.increment) }
        let words = [SplitMix64.mixed(state), SplitMix64.mixed(state &+ SplitMix64.increment)]
        let text = words.map { word in
            let digits = String(word, radix: 16)
            return String(repeating: "0", count: 16 - digits.count) + digits
        }
        return String(text.joined().prefix(24))
    }
}
