package import Ledger
package import NIOCore

/// How the answer to one HTTP request is written, by rows that the ledger knows: one for each interface and kind of errand.
///
/// `Answering` calls it: either `whole` once, or `frames` with news again and again until it says that the stream is over.
package protocol AnswerWriter: Sendable {
    /// The body of the answer, when all rows have ended.
    ///
    /// - Parameter now: seconds since 1970 at which the answer leaves.
    /// - Throws: what the client should see instead.
    mutating func whole(_ rows: [LedgerRow], now: Double) throws(RequestFailure) -> [UInt8]

    /// The frames for rows that have news, with the stream's last frame behind that of the last row.
    mutating func frames(_ rows: [LedgerRow], now: Double) -> ByteBuffer

    /// The stream's last frame was written.
    var isOver: Bool { get }

    /// The stream that a client gets which asked for one and was refused before there were rows; nil: it gets a status.
    func refusal(_ failure: RequestFailure, now: Double) -> ByteBuffer?
}
