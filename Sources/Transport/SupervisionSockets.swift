internal import CZeroMQ
package import Messages

/// A child's end of the line to the launcher.
package struct DealerSocket: ~Copyable {
    private let socket: RawSocket

    /// Connects to the launcher's router.
    package init(connecting endpoint: Endpoint, in context: Context) throws(TransportError) {
        let raw = try RawSocket(ZMQ_DEALER, endpoint, in: context, highWaterMark: 1000)
        try raw.connect()
        socket = raw
    }

    /// Queues a report; dropped when the queue is full, because the next heartbeat says more than an old one.
    package func send(_ report: ChildReport) throws(TransportError) { _ = try socket.sendNow(encodeFrame(report)) }

    /// The next order if one is there.
    package func receive() throws(TransportError) -> LauncherOrder? {
        guard let frame = try socket.receiveNow() else { return nil }
        return try decodeFrame(frame, as: LauncherOrder.self, from: socket.endpoint)
    }

    /// Waits for an order or for one of the descriptors to become readable; the indices of those that are.
    package func wait(or descriptors: [Int32], within timeout: Duration?) throws(TransportError) -> [Int] {
        try waitForReading(socket, or: descriptors, within: timeout)
    }
}

/// The launcher's end of the lines to its children.
package struct RouterSocket: ~Copyable {
    private let socket: RawSocket

    /// Binds the endpoint.
    package init(binding endpoint: Endpoint, in context: Context) throws(TransportError) {
        let raw = try RawSocket(ZMQ_ROUTER, endpoint, in: context, highWaterMark: 1000)
        raw.set(ZMQ_ROUTER_MANDATORY, 1)
        try raw.bind()
        socket = raw
    }

    /// The next report if one is there, with the address that answers go to.
    package func receive() throws(TransportError) -> (peer: [UInt8], report: ChildReport)? {
        guard let peer = try socket.receiveNow() else { return nil }
        guard let frame = try socket.receiveNow() else {
            throw .malformed(endpoint: socket.endpoint.path, reason: "a report without content")
        }
        return (peer, try decodeFrame(frame, as: ChildReport.self, from: socket.endpoint))
    }

    /// Queues an order for a child; false when it is gone.
    package func send(_ order: LauncherOrder, to peer: [UInt8]) throws(TransportError) -> Bool {
        guard try socket.sendNow(peer, more: true) else { return false }
        return try socket.sendNow(encodeFrame(order))
    }

    /// Waits for a report or for one of the descriptors to become readable; the indices of those that are.
    package func wait(or descriptors: [Int32], within timeout: Duration?) throws(TransportError) -> [Int] {
        try waitForReading(socket, or: descriptors, within: timeout)
    }
}

private func waitForReading(
    _ socket: borrowing RawSocket, or descriptors: [Int32], within timeout: Duration?
) throws(TransportError) -> [Int] {
    var items = [zmq_pollitem_t(socket: socket.handle, fd: 0, events: Int16(ZMQ_POLLIN), revents: 0)]
    for descriptor in descriptors {
        items.append(zmq_pollitem_t(socket: nil, fd: descriptor, events: Int16(ZMQ_POLLIN), revents: 0))
    }
    let count = zmq_poll(&items, Int32(items.count), pollMilliseconds(timeout))
    if count < 0 {
        if zmq_errno() == EINTR { return [] }
        throw socket.failure("zmq_poll")
    }
    return items.dropFirst().enumerated().filter { $0.element.revents != 0 }.map(\.offset)
}
