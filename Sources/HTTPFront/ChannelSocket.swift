internal import APICore
internal import CPlatform
internal import NIOCore

/// What only the socket behind a channel knows or does; all of it on the channel's event loop.
extension Channel {
    /// Calls with the socket's descriptor; nil without a socket, or on another thread than the event loop's.
    func withSocket<Result>(_ body: (CInt) -> Result) -> Result? {
        guard isActive, eventLoop.inEventLoop else { return nil }
        return try? pipeline.syncOperations.withUnsafeTransportIfAvailable(of: CInt.self) { body($0) }
    }

    /// How far what was written has come; nil where nobody can tell.
    var delivery: Delivery? {
        withSocket { descriptor in
            var delivery = platform_delivery()
            guard platform_delivery_of(descriptor, &delivery) == 0 else { return nil }
            return Delivery(
                acknowledged: delivery.acknowledged, window: delivery.window, queued: delivery.queued)
        } ?? nil
    }
}
