internal import ChildRuntime
internal import Glibc
internal import Synchronization

/// Something that a rank does on a thread of its own while it goes on computing.
///
/// The thread stands behind all others, so that a stream's next token does not wait for it.
package final class RankJob<Value: Sendable>: Sendable {
    /// What came of it: a value, or what those who asked are told.
    package typealias Outcome = Result<Value, RankJobFailure>

    private let state = Mutex<(outcome: Outcome?, isWanted: Bool)>((nil, true))

    /// Begins.
    package init(_ body: @escaping @Sendable () -> Outcome) {
        startDetachedThread { [self] in
            _ = setpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0, 10)
            let outcome = body()
            // What nobody wants any more is not kept.
            state.withLock { if $0.isWanted { $0.outcome = outcome } }
        }
    }

    /// What came of it; nil while it is under way.
    package var outcome: Outcome? { state.withLock { $0.outcome } }

    /// Nobody waits for it any more.
    package func forget() { state.withLock { $0 = (nil, false) } }
}

/// Why a job came to nothing, as those who asked for it are told.
package struct RankJobFailure: Error, Sendable, Equatable {
    package let message: String

    package init(message: String) { self.message = message }
}

/// How far a rank is with its job.
package enum RankJobState: Sendable, Equatable {
    case underWay
    /// It is over; a result that is a text.
    case done(String)
    case failed(String)

    /// What the states of all ranks add up to: one failure fails all, and nothing is done before all are. The texts are listed.
    package static func sum(_ states: [RankJobState]) -> Result<[String], RankJobFailure>? {
        for case .failed(let message) in states { return .failure(RankJobFailure(message: message)) }
        let texts = states.compactMap { if case .done(let text) = $0 { text } else { nil } }
        return texts.count == states.count ? .success(texts) : nil
    }

    private var word: Float {
        switch self {
        case .underWay: 0
        case .done: 1
        case .failed: 2
        }
    }

    private var text: String {
        switch self {
        case .underWay: ""
        case .done(let text), .failed(let text): text
        }
    }

    /// Puts it into a rank's slot: a word, the count of bytes, one float for each byte. A text that is too long is cut.
    func write(into slot: UnsafeMutablePointer<Float>, floats: Int) {
        let bytes = Array(text.utf8.prefix(max(0, floats - 2)))
        slot[0] = word
        slot[1] = Float(bytes.count)
        for (place, byte) in bytes.enumerated() { slot[2 + place] = Float(byte) }
    }

    /// Reads it from a rank's slot.
    init(reading slot: UnsafePointer<Float>) {
        let text = String(decoding: (0..<Int(slot[1])).map { UInt8(slot[2 + $0]) }, as: UTF8.self)
        self = slot[0] == 0 ? .underWay : slot[0] == 1 ? .done(text) : .failed(text)
    }
}
