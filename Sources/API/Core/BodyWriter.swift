package import JSON
package import Ledger
package import NIOCore

/// Writes an answer that is one body and never a stream.
package struct BodyWriter: AnswerWriter {
    /// Writes the body for rows that have ended.
    package typealias Write = @Sendable ([LedgerRow], _ now: Double, inout JSONWriter) throws(RequestFailure) -> Void

    private let capacity: Int
    private let write: Write

    /// - Parameter capacity: bytes that the body takes, about.
    package init(capacity: Int = 1024, _ write: @escaping Write) {
        self.capacity = capacity
        self.write = write
    }

    package mutating func whole(_ rows: [LedgerRow], now: Double) throws(RequestFailure) -> [UInt8] {
        var json = JSONWriter(reservingCapacity: capacity)
        try write(rows, now, &json)
        return json.bytes
    }

    package mutating func frames(_ rows: [LedgerRow], now: Double) -> ByteBuffer { ByteBuffer() }

    package var isOver: Bool { true }

    package func refusal(_ failure: RequestFailure, now: Double) -> ByteBuffer? { nil }
}
