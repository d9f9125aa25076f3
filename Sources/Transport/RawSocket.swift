internal import CZeroMQ
internal import SwiftProtobuf

/// A ZeroMQ socket with one owner; closing it never waits (linger 0).
struct RawSocket: ~Copyable {
    let handle: UnsafeMutableRawPointer
    let endpoint: Endpoint
    private let context: Context

    /// Opens a socket of a ZeroMQ type. `highWaterMark` bounds the messages queued on each side.
    init(_ type: Int32, _ endpoint: Endpoint, in context: Context, highWaterMark: Int32) throws(TransportError) {
        guard endpoint.path.utf8.count <= Endpoint.maximumPathLength else { throw .pathTooLong(endpoint.path) }
        guard let handle = zmq_socket(context.handle, type) else {
            throw .socket(call: "zmq_socket", endpoint: endpoint.path, reason: lastSocketError())
        }
        self.handle = handle
        self.endpoint = endpoint
        self.context = context
        set(ZMQ_LINGER, 0)
        set(ZMQ_SNDHWM, highWaterMark)
        set(ZMQ_RCVHWM, highWaterMark)
        set(ZMQ_RECONNECT_IVL, 10)
        set(ZMQ_RECONNECT_IVL_MAX, 100)
    }

    deinit { zmq_close(handle) }

    func set(_ option: Int32, _ value: Int32) {
        var value = value
        zmq_setsockopt(handle, option, &value, MemoryLayout<Int32>.size)
    }

    func bind() throws(TransportError) {
        guard zmq_bind(handle, endpoint.description) == 0 else { throw failure("zmq_bind") }
    }

    func connect() throws(TransportError) {
        guard zmq_connect(handle, endpoint.description) == 0 else { throw failure("zmq_connect") }
    }

    func failure(_ call: String) -> TransportError {
        .socket(call: call, endpoint: endpoint.path, reason: lastSocketError())
    }

    /// Waits until the socket can be read or written; false when the time is over.
    func wait(for events: Int32, within milliseconds: Int) throws(TransportError) -> Bool {
        var item = zmq_pollitem_t(socket: handle, fd: 0, events: Int16(events), revents: 0)
        while true {
            let count = zmq_poll(&item, 1, milliseconds)
            if count >= 0 { return count > 0 }
            guard zmq_errno() == EINTR else { throw failure("zmq_poll") }
        }
    }

    /// Sends one part; false when nobody can take it now.
    func sendNow(_ bytes: [UInt8], more: Bool = false) throws(TransportError) -> Bool {
        while true {
            let sent = bytes.withUnsafeBytes {
                zmq_send(handle, $0.baseAddress, $0.count, ZMQ_DONTWAIT | (more ? ZMQ_SNDMORE : 0))
            }
            if sent >= 0 { return true }
            switch zmq_errno() {
            case EINTR: continue
            case EAGAIN, EHOSTUNREACH: return false
            default: throw failure("zmq_send")
            }
        }
    }

    /// Receives one part if one is there.
    func receiveNow() throws(TransportError) -> [UInt8]? {
        var message = zmq_msg_t()
        zmq_msg_init(&message)
        defer { zmq_msg_close(&message) }
        while zmq_msg_recv(&message, handle, ZMQ_DONTWAIT) < 0 {
            switch zmq_errno() {
            case EINTR: continue
            case EAGAIN: return nil
            default: throw failure("zmq_msg_recv")
            }
        }
        return [UInt8](UnsafeRawBufferPointer(start: zmq_msg_data(&message), count: zmq_msg_size(&message)))
    }
}

/// Decodes a frame as `M`, or says what is wrong with it.
func decodeFrame<M: SwiftProtobuf.Message>(_ bytes: [UInt8], as type: M.Type, from endpoint: Endpoint)
    throws(TransportError) -> M
{
    do { return try M(serializedBytes: bytes) } catch {
        throw .malformed(endpoint: endpoint.path, reason: "\(bytes.count) bytes are no \(M.protoMessageName): \(error)")
    }
}

/// Encodes a message; protobuf messages of this project have no required fields, so this cannot fail.
func encodeFrame<M: SwiftProtobuf.Message>(_ message: M) -> [UInt8] {
    (try? message.serializedBytes() as [UInt8]) ?? []
}

/// A duration as whole milliseconds, rounded up; -1 (for ever) when absent.
func pollMilliseconds(_ duration: Duration?) -> Int {
    guard let duration else { return -1 }
    let (seconds, attoseconds) = duration.components
    return max(0, Int(seconds) * 1000 + Int((attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000))
}
