/// Who waits for an answer, as far as its connection shows.
package protocol Client: AnyObject, Sendable {
    /// Does `action` once when the client goes away before it is answered; at once if it is gone.
    func whenClosed(_ action: @escaping @Sendable () -> Void)

    /// How far what the client was sent has come; nil where nobody can tell.
    var delivery: Delivery? { get }

    /// Whether this client's connection is the first to go when there are too many.
    func mayGo(_ mayGo: Bool)

    /// Has the client's kernel asked once a second how much room it has, or not any more.
    func keepAsking(_ asks: Bool)

    /// Does `action` after a while; at once without a connection.
    func after(seconds: Double, _ action: @escaping @Sendable () -> Void)
}

/// How far what was written to a connection has come.
package struct Delivery: Sendable, Equatable {
    /// Bytes that the other side's kernel has confirmed.
    package var acknowledged: UInt64
    /// Bytes that it still has room for: its programs make room by reading.
    package var window: UInt32
    /// Bytes that this side's kernel still holds.
    package var queued: UInt32

    package init(acknowledged: UInt64, window: UInt32, queued: UInt32) {
        self.acknowledged = acknowledged
        self.window = window
        self.queued = queued
    }
}
